"""What the detector ``contact_sync_storm`` is made of: from the lines of a log to devices, users and their evidence.

Two files ask servers: ``host_log`` reads IIS logs, ``mailbox_lookup`` asks the organisation. All others are pure, and
take and give frozen values: ``sync`` (a log line to a contact sync), ``device``, ``suspicion``, ``verification``,
``judgement`` (all hosts and users, to a detection) and ``evidence``.
"""
