"""What a run means: its verdict, what it proved, what is still open, what was not judged, and what to type next.

It is decided here and nowhere else. Text, page, JSON, JUnit, GitHub's summary and notices word an ``Assessment``; none
of them looks at a status to decide anything of this. The room lies inside ``playbook``, below the verbs, because the
``RunReport`` that ``run``, ``resume``, ``do`` and ``undo`` return carries its assessment.
"""
