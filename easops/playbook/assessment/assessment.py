"""An assessment: what a run means, as one value."""

from __future__ import annotations

import attrs

from easops.playbook.assessment.next_command import NextCommand, Repeat
from easops.playbook.assessment.next_commands import next_commands, repeats
from easops.playbook.assessment.not_judged import not_judged, searched
from easops.playbook.assessment.point import Point
from easops.playbook.assessment.proved import proved
from easops.playbook.assessment.run_facts import RunFacts
from easops.playbook.assessment.still_open import still_open
from easops.playbook.assessment.verdict import Verdict, verdict


@attrs.frozen
class Assessment:
    """What a run means.

    *verdict* is the word that a person takes away, and a sentence. *over* says that easops has nothing more to do
    about it: it is not running, waiting, unfinished, or unknown in its outcome. *proved* are sentences on what was seen
    to have ended or come about; *searched* says where nothing was found, and what was read for it. *open* is what is
    not done, not known, not proved or not treated; *not_judged* what nobody can say anything about. *next* are the
    commands that lead on, the first one first; *repeats* say how the same command might be typed once more.
    """

    verdict: Verdict
    over: bool
    proved: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()
    open: tuple[Point, ...] = ()
    not_judged: tuple[Point, ...] = ()
    next: tuple[NextCommand, ...] = ()
    repeats: tuple[Repeat, ...] = ()


def assess(run: RunFacts) -> Assessment:
    """The assessment of a run as it stands."""
    points, unjudged = tuple(still_open(run)), tuple(not_judged(run))
    return Assessment(
        verdict(run, points),
        over=run.closed or not (run.running or run.waits or run.cut_short or run.unfinished or run.unknown),
        proved=tuple(proved(run)),
        searched=tuple(searched(run)),
        open=points,
        not_judged=unjudged,
        next=next_commands(run),
        repeats=repeats(run),
    )
