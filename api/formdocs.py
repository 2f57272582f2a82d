"""What the API's document says of endpoints that read a body by hand: its members, and which of them are required."""

from dataclasses import dataclass

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

_TYPE = "application/x-www-form-urlencoded"


def form(*required: str, optional: tuple[str, ...] = ()) -> type[Operation]:
    """The kind of operation whose body is a form of these string fields."""
    properties = {name: Schema(type=OpenAPIType.STRING) for name in (*required, *optional)}
    schema = Schema(type=OpenAPIType.OBJECT, required=list(required), properties={**properties})

    @dataclass
    class Form(Operation):
        """An operation with this form as its body."""

        def __post_init__(self) -> None:
            """Put the form where the framework knows of no body."""
            self.request_body = RequestBody(content={_TYPE: OpenAPIMediaType(schema=schema)}, required=True)

    return Form


def json(*required: str) -> type[Operation]:
    """The kind of operation whose body is a JSON object with these members, and with others that are ignored."""
    schema = Schema(type=OpenAPIType.OBJECT, required=list(required), properties={name: Schema() for name in required})

    @dataclass
    class Json(Operation):
        """An operation with this object as its body."""

        def __post_init__(self) -> None:
            """Put the object where the framework knows of no body."""
            self.request_body = RequestBody(
                content={"application/json": OpenAPIMediaType(schema=schema)}, required=True
            )

    return Json
