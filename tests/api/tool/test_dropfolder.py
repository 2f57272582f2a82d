"""The watched folder by itself: which files are whole, and that none is lost or overwritten between two renames."""

import os
from pathlib import Path

import msgspec
import pytest

from api.tool import dropfolder
from api.tool.dropfolder import Folder, NotWatchable, WatchedAlready


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An open folder for files that are renamed into place."""
    made = Folder(tmp_path)
    made.open()
    return made


def lay(place: Path, name: str, text: str = "ref\n") -> Path:
    """A file laid down whole."""
    (part := place / f".{name}").write_text(text)
    return part.rename(place / name)


class TestOpen:
    """The folder is there, ours, and nobody else's."""

    def test_what_cannot_be_watched_is_said(self, tmp_path: Path) -> None:
        """No folder, and a link in place of `done`, are refused with what to do."""
        with pytest.raises(NotWatchable, match="Make it"):
            Folder(tmp_path / "none").open()
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "done").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(NotWatchable, match="no link"):
            Folder(tmp_path).open()

    def test_one_watch_a_folder(self, folder: Folder, tmp_path: Path) -> None:
        """A second watch is refused while the first one lives, and works afterwards."""
        other = Folder(tmp_path)
        with pytest.raises(WatchedAlready):
            other.open()
        folder.close()
        other.open()
        other.close()


class TestReady:
    """What can be taken."""

    def test_a_file_is_settled_before_it_is_taken(self, folder: Folder, tmp_path: Path) -> None:
        """A file that grew since the last look waits for one more."""
        file = lay(tmp_path, "a.csv")
        assert folder.ready() == []
        file.write_text("ref,version\n")
        assert folder.ready() == []
        assert folder.ready() == [file]

    def test_what_is_no_whole_file_is_never_ready(self, folder: Folder, tmp_path: Path) -> None:
        """Dot names, links, pipes, folders and marks stay where they are."""
        (tmp_path / ".a.csv").write_text("ref\n")
        (tmp_path / "b.csv").symlink_to(tmp_path / ".a.csv")
        os.mkfifo(tmp_path / "c.csv")
        (tmp_path / "d.csv").mkdir()
        (tmp_path / "e.csv.done").touch()
        assert folder.ready() == folder.ready() == []

    def test_a_marked_file_waits_for_its_mark(self, tmp_path: Path) -> None:
        """Without NAME.done nothing is taken, nor with one from before the file's last change."""
        marked = Folder(tmp_path, marked=True)
        marked.open()
        (tmp_path / "a.csv.done").touch()
        file = tmp_path / "a.csv"
        file.write_text("ref\n")
        os.utime(file, ns=(0, 0))  # an old date of its own tells nothing; the change of it does
        while file.stat().st_ctime_ns <= (tmp_path / "a.csv.done").stat().st_ctime_ns:
            os.utime(file, ns=(0, 0))
        assert marked.ready() == marked.ready() == []
        (tmp_path / "a.csv.done").touch()
        assert marked.ready() == []
        while not (found := marked.ready()):
            (tmp_path / "a.csv.done").touch()
        assert found == [file]
        claimed = marked.claim(file)
        assert claimed is not None
        assert claimed.exists()
        assert not (tmp_path / "a.csv.done").exists()


class TestClaim:
    """A file becomes ours by one rename."""

    def test_a_new_file_of_the_same_name_waits(self, folder: Folder, tmp_path: Path) -> None:
        """While `a.csv` is being taken, another `a.csv` stays in the folder, and neither writes over the other."""
        first = folder.claim(lay(tmp_path, "a.csv", "first"))
        assert first is not None
        second = lay(tmp_path, "a.csv", "second")
        assert folder.claim(second) is None
        assert (first.read_text(), second.read_text()) == ("first", "second")
        assert folder.claim(first) == first
        assert folder.claim(tmp_path / "gone.csv") is None


class TestPut:
    """The answer first, then the file."""

    def test_nothing_is_overwritten(self, folder: Folder, tmp_path: Path) -> None:
        """Three files of one name come to lie beside each other, each with its answer."""
        places: list[Path] = []
        for number in range(3):
            claimed = folder.claim(lay(tmp_path, "a.csv.gz", str(number)))
            assert claimed is not None
            places.append(folder.put(claimed, "done", {"number": number}))
        assert [place.name for place in places] == ["a.csv.gz", "a~2.csv.gz", "a~3.csv.gz"]
        for number, place in enumerate(places):
            said = msgspec.json.decode(place.with_name(place.name + dropfolder.ANSWER).read_bytes())
            assert (place.read_text(), said["answer"], said["file"]["name"]) == (
                str(number),
                {"number": number},
                "a.csv.gz",
            )

    def test_killed_between_answer_and_move(
        self, folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The file is found again with where it belongs; another file of its name is not mistaken for it."""
        lay(tmp_path / "refused", "a.csv", "of last week")
        claimed = folder.claim(lay(tmp_path, "a.csv"))
        assert claimed is not None
        assert folder.answered(claimed) is None

        def killed(*_given: object) -> Path:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(Folder, "move", killed)
            with pytest.raises(KeyboardInterrupt):
                folder.put(claimed, "refused", {})
        assert claimed.exists()
        target = folder.answered(claimed)
        assert target == tmp_path / "refused" / "a~2.csv"
        folder.move(claimed, target)
        again = folder.claim(lay(tmp_path, "a.csv", "other"))
        assert again is not None
        assert folder.answered(again) is None

    def test_a_full_disk_is_known_before_a_file_is_taken(
        self, folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No room for an answer is an error of the system, told before anything happened; a long name is, too."""
        claimed = folder.claim(lay(tmp_path, "a.csv"))
        assert claimed is not None
        folder.room(claimed)
        assert list((tmp_path / "done").iterdir()) == []

        def full(*_given: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "posix_fallocate", full)
        with pytest.raises(OSError, match="No space"):
            folder.room(claimed)
        with pytest.raises(OSError, match="too long"):
            folder.room(tmp_path / ("a" * 240 + ".csv"))
