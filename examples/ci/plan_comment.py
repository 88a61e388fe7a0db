"""Keeps the plan of `profilectl diff` in one comment of a pull request, and finds there what was reviewed.

    plan_comment.py post < plan.md    in a job for a pull request: writes the comment, or its earlier one anew
    plan_comment.py digest            in a job for main: prints the digest in the comment of what was merged last

It needs Python alone, and the variables that GitHub and GitLab set in a job. On GitHub also GITHUB_TOKEN, the job's own
token, and PULL_REQUEST, its number; on GitLab PLAN_COMMENT_TOKEN, a project access token with the scope `api`.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

MARKER = "<!-- profilectl plan -->"
LONGEST = 60_000  # characters; GitHub takes 65,536
LAST_LINE = re.compile(r"Plan `(sha256:[0-9a-f]{64})`")


@dataclass
class Forge:
    """The comments of one repository at GitHub or GitLab; `change` is the number of a pull or merge request."""

    url: str  # of the repository in the API
    token: dict[str, str]  # the header with it
    comments: str  # the path of a change's comments, with its number to fill in
    comment: str  # the path of one comment, with the change's and its own number to fill in
    update: str  # the method that changes a comment
    changes: str  # the path of the changes that brought a commit, with the commit to fill in
    number: str  # the key of a change's number
    is_merged: Callable[[dict[str, Any]], bool]
    is_ours: Callable[[dict[str, Any]], bool]

    def call(self, method: str, path: str, document: dict[str, str] | None = None) -> Any:
        """Return what the API answers; a sentence and exit 1 where it refuses."""
        content = None if document is None else json.dumps(document).encode()
        headers = {**self.token, "Accept": "application/json", "Content-Type": "application/json"}
        request = Request(self.url + path, content, headers, method=method)  # noqa: S310  # the runner's own address
        try:
            with urlopen(request, timeout=60) as answer:  # noqa: S310  # the same
                return json.load(answer)
        except HTTPError as error:
            sys.exit(f"{method} {path}: HTTP {error.code}: may this job's token do that?")

    def earlier(self, change: str) -> Iterator[dict[str, Any]]:
        """Yield the change's comments that an earlier job has written."""
        number = 0
        while page := self.call("GET", f"{self.comments.format(change)}?per_page=100&page={(number := number + 1)}"):
            yield from (comment for comment in page if comment["body"].startswith(MARKER) and self.is_ours(comment))

    def post(self, change: str, plan: str) -> None:
        """Write the plan into the earlier comment, or into a new one."""
        body = {"body": f"{MARKER}\n{shortened(plan)}"}
        for comment in self.earlier(change):
            self.call(self.update, self.comment.format(change, comment["id"]), body)
            return
        self.call("POST", self.comments.format(change), body)

    def digest(self, commit: str) -> str:
        """Return the digest in the comment of the change that brought a commit to main."""
        merged = [change for change in self.call("GET", self.changes.format(commit)) if self.is_merged(change)]
        for change in merged:
            for comment in self.earlier(str(change[self.number])):
                match = LAST_LINE.fullmatch(comment["body"].rstrip().rpartition("\n")[2])
                if match is not None:
                    return match[1]
        sys.exit(
            f"no plan was reviewed for {commit[:12]}: look at `profilectl diff`, then start this job with its digest"
        )


def shortened(plan: str) -> str:
    """Return a plan that fits into a comment, without the rows in the middle of one that is too long."""
    if len(plan) <= LONGEST:
        return plan
    head, end = plan[:LONGEST].rpartition("\n")[0], plan.rstrip().rpartition("\n")[2]
    return f"{head}\n\nThe rest of this plan doesn't fit into a comment: `profilectl diff` shows it.\n\n{end}"


def github() -> Forge:
    """Return the repository of a GitHub job."""
    repository = os.environ["GITHUB_REPOSITORY"]
    return Forge(
        url=f"{os.environ['GITHUB_API_URL']}/repos/{repository}",
        token={"Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}"},
        comments="/issues/{}/comments",
        comment="/issues/comments/{1}",
        update="PATCH",
        changes="/commits/{}/pulls",
        number="number",
        is_merged=lambda change: change["merged_at"] is not None,
        is_ours=lambda comment: comment["user"]["login"] == "github-actions[bot]",
    )


def gitlab() -> Forge:
    """Return the project of a GitLab job."""
    forge = Forge(
        url=os.environ["CI_API_V4_URL"],
        token={"PRIVATE-TOKEN": os.environ["PLAN_COMMENT_TOKEN"]},
        comments="/merge_requests/{}/notes",
        comment="/merge_requests/{}/notes/{}",
        update="PUT",
        changes="/repository/commits/{}/merge_requests",
        number="iid",
        is_merged=lambda change: change["state"] == "merged",
        is_ours=lambda comment: comment["author"]["id"] == user_id,
    )
    user_id = forge.call("GET", "/user")["id"]
    forge.url += f"/projects/{quote(os.environ['CI_PROJECT_ID'], safe='')}"
    return forge


def main(deed: str) -> None:
    """Do what the first argument says."""
    is_github = "GITHUB_REPOSITORY" in os.environ
    if deed == "digest":
        forge = github() if is_github else gitlab()
        print(forge.digest(os.environ["GITHUB_SHA" if is_github else "CI_COMMIT_SHA"]))
    else:  # nothing where `diff` failed: its own message says why, and an earlier plan mustn't stand for this push
        plan = sys.stdin.read() or "### Custom profiles: no plan\n\nThis push has none: the job's log says why.\n"
        forge = github() if is_github else gitlab()
        forge.post(os.environ["PULL_REQUEST" if is_github else "CI_MERGE_REQUEST_IID"], plan)


if __name__ == "__main__":
    if sys.argv[1:] not in (["post"], ["digest"]):
        print("usage: plan_comment.py post < plan.md, or plan_comment.py digest", file=sys.stderr)
        sys.exit(2)
    try:
        main(sys.argv[1])
    except KeyError as error:
        print(f"{error.args[0]} isn't set: this runs in a job of GitHub or GitLab", file=sys.stderr)
        sys.exit(2)
