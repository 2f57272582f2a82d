// A scanned code carries the number behind #, which no server is told by the browser: put it into the form and send it.
"use strict";
if (location.hash.length > 1) {
  document.getElementById("number").value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  document.getElementById("verify").requestSubmit();
}
