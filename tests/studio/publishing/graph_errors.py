"""The errors of the facts page, in the envelope of the Graph API."""

from typing import Any

# The code that goes with a subcode. The page says "subcode first" and gives two of these codes.
CODES = {
    2207001: -1,
    2207003: -2,
    2207004: 36000,
    2207005: 36001,
    2207006: 24,
    2207008: 24,
    2207009: 36003,
    2207010: 36004,
    2207020: -2,
    2207023: 100,
    2207026: 352,
    2207027: 9007,
    2207028: 100,
    2207032: -1,
    2207040: 100,
    2207042: 9,
    2207050: 25,
    2207051: 4,
    2207052: 9004,
    2207053: -1,
    2207057: 100,
}
WAITS = {4, 17, 32, 341, 613, 80002}
_PLAIN = {1, 2, 10, 100, 102, 190, 368, *range(200, 300), *WAITS}
_TRANSIENT = {1, 2, 2207001, 2207003, 2207008, 2207027, 2207032, 2207052, 2207053}
_SAYS = {
    1: "An unknown error occurred",
    2: "Service temporarily unavailable",
    4: "Application request limit reached",
    10: "Application does not have permission for this action",
    17: "User request limit reached",
    33: "Unsupported request. Object does not exist or cannot be loaded",
    102: "Session key invalid or no longer valid",
    190: "Error validating access token",
    368: "The action attempted has been deemed abusive or is otherwise disallowed",
    2207001: "Instagram server error",
    2207003: "It takes too long to download the media",
    2207004: "The image is too large",
    2207005: "The image format is not supported",
    2207006: "The media could not be found",
    2207008: "The media builder failed for a moment",
    2207009: "The submitted image's aspect ratio is not supported",
    2207010: "The caption is too long",
    2207020: "The media you are trying to access has expired",
    2207023: "The media type is unknown",
    2207026: "The video format is not supported",
    2207027: "Media ID is not available: the media is not ready to be published",
    2207028: "The carousel did not pass its validation",
    2207032: "Create media fail, please try to re-create media",
    2207040: "Too many tags",
    2207042: "You reached the maximum number of posts that is allowed to be published by Content Publishing API",
    2207050: "The Instagram account is restricted",
    2207051: "The action is blocked",
    2207052: "The media could not be fetched from this URI",
    2207053: "Unknown upload error",
    2207057: "The thumbnail offset is invalid",
}


class Refusal(Exception):
    """An error answer; its name is a code, a subcode, or both as in `4/2207051`."""

    def __init__(self, name: str, says: str = "", minutes: int | None = None) -> None:
        self.code, self.subcode = numbers(name)
        self.says = says or _SAYS.get(self.subcode or self.code) or _SAYS.get(self.code) or "Invalid request"
        # Until access is regained, of an error that says to wait.
        self.minutes = 1 if minutes is None and self.code in WAITS and not self.subcode else minutes
        super().__init__(self.says)

    @property
    def name(self) -> str:
        return f"{self.code}/{self.subcode}" if self.subcode else str(self.code)

    @property
    def status(self) -> int:
        """Of the HTTP answer."""
        if self.code in {1, 2}:
            return 500
        if self.code in {102, 190}:
            return 401
        return 403 if self.code in {4, 9, 10, 17, 32, 341, 368, 613, *range(200, 300)} else 400

    def body(self, trace: str) -> dict[str, Any]:
        """The envelope."""
        error: dict[str, Any] = {"message": f"(#{self.code}) {self.says}", "type": "OAuthException", "code": self.code}
        if self.subcode:
            error["error_subcode"] = self.subcode
        transient = self.code in _TRANSIENT or self.subcode in _TRANSIENT
        told = {"error_user_title": self.says.partition(":")[0], "error_user_msg": f"{self.says}."}
        return {"error": error | {"is_transient": transient} | told | {"fbtrace_id": trace}}


def numbers(name: str) -> tuple[int, int | None]:
    """The code and the subcode of an error's name; a name that the facts page does not have raises."""
    first, _, second = name.partition("/")
    if not second and int(first) in CODES:
        return CODES[int(first)], int(first)
    code, subcode = int(first), int(second) if second else None
    if code not in _PLAIN and CODES.get(subcode or 0) != code:
        raise ValueError(f"the facts page has no error {name}")
    return code, subcode
