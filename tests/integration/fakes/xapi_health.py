# SPDX-License-Identifier: LGPL-2.1-only
"""
What the health check needs of a made-up XAPI: pool.health_check_config, secrets, and calls that go wrong.

It is stricter than the real one: whoever writes the map must write all of it, with times that XenCenter can read, and must
have read it before. What it does not like is kept in `complaints`.
"""
import re
import threading
import uuid

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z"  # .NET's "o" of a UTC time
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

# Keys that somebody writes, and what they may hold.
FORMS = {
    "Enrollment": "true|false",
    "Schedule.IntervalInDays": r"\d+",
    "Schedule.DayOfWeek": "[0-6]",
    "Schedule.TimeOfDay": "[0-9]|1[0-9]|2[0-3]",
    "Schedule.RetryInterval": r"\d+",
    "UploadToken.Secret": UUID,
    "DiagnosticToken.Secret": UUID,
    "User.Secret": UUID,
    "Password.Secret": UUID,
    "NewUploadRequest": f"({TIME})?",
    "UploadLock": rf"({UUID}\|{TIME})?",
    "LastSuccessfulUpload": TIME,
    "LastFailedUpload": TIME,
    "UploadUuid": ".+",
    "ReportAnalysis.Severity": "Info|Warning|Error",
    "ReportAnalysis.IssuesDetected": r"\d+",
    "ReportAnalysis.UploadUuid": ".+",
    "ReportAnalysis.UploadTime": TIME,
}
REMOVABLE = ("UploadToken.Secret", "DiagnosticToken.Secret", "User.Secret", "Password.Secret")


class Failure(Exception):
    """An error of XAPI."""

    def __init__(self, code, *parameters):
        super().__init__(code)
        self.code, self.parameters = code, list(parameters)


class Health:
    """A part of xapi.Pool."""

    def __init__(self):
        self.health, self.secrets = {}, {}  # the map; secrets by uuid
        self.marks = {}  # other_config of secrets
        self.writes = []  # every map that was written
        self.complaints = []
        self.faults = {}  # method: what happens at its next calls, see next_fault()
        self.before = {}  # method: functions, each of which is called once before one call
        self.calls = []  # methods, in their order
        self.dies_at = None  # from this call on (they count from 0) nobody answers any more
        self.last_read = None
        self.guard = threading.RLock()

    def next_fault(self, method):
        """
        None: all goes well; "drip": the answer comes byte by byte; "silence": no answer; "die before" and "die after" it was done: the connection ends without
        an answer; CAPITALS: that error.
        """
        with self.guard:
            self.calls.append(method)
            if self.before.get(method):
                self.before[method].pop(0)()
            if self.dies_at is not None and len(self.calls) > self.dies_at:
                return "die before"
            return self.faults[method].pop(0) if self.faults.get(method) else None

    def let_rival_lock(self, method, owner, when):
        """Another service takes the lock just before the next call of `method`, as XenCenter's would: the whole map."""
        def take():
            self.health = {**self.health, "UploadLock": f"{owner}|{when}"}
        self.before.setdefault(method, []).append(take)

    def restart(self):
        """XAPI forgets its sessions."""
        with self.guard:
            self.open_sessions.clear()

    def complain(self, text):
        self.complaints.append(text)

    # --- pool.health_check_config

    def check_pool(self, reference):
        if reference != self.REFERENCE:
            raise Failure("HANDLE_INVALID", "pool", reference)

    def call_pool_get_health_check_config(self, reference):
        self.check_pool(reference)
        with self.guard:
            self.last_read = dict(self.health)
            return dict(self.health)

    def call_pool_set_health_check_config(self, reference, value):
        self.check_pool(reference)
        with self.guard:
            self.check_write(value)
            self.health = dict(value)
            self.writes.append(dict(value))
        return ""

    def check_write(self, value):
        if not all(isinstance(key, str) and isinstance(text, str) for key, text in value.items()):
            self.complain(f"more than texts: {value}")
        if self.last_read is None:
            return self.complain("a map was written by somebody who never read it")
        for key, text in self.last_read.items():
            if key not in value and key not in REMOVABLE:
                self.complain(f"{key} was lost")
            if key not in FORMS and value.get(key) != text:
                self.complain(f"{key} is nobody's business and was changed")
        for key, text in value.items():
            if key in FORMS and text != self.last_read.get(key) and not re.fullmatch(FORMS[key], text, re.ASCII):
                self.complain(f"{key} was set to {text!r}")
        self.last_read = None

    def call_pool_add_to_health_check_config(self, *_):
        self.complain("the map was not written whole")
        raise Failure("MESSAGE_METHOD_UNKNOWN", "pool.add_to_health_check_config")

    call_pool_remove_from_health_check_config = call_pool_add_to_health_check_config

    # --- secrets

    def new_secret(self, value):
        name = str(uuid.uuid4())
        self.secrets[name] = value
        return name

    @staticmethod
    def reference_of(name):
        return f"OpaqueRef:secret-{name}"

    def secret_of(self, reference):
        name = reference.removeprefix("OpaqueRef:secret-")
        if name not in self.secrets:
            raise Failure("HANDLE_INVALID", "secret", reference)
        return name

    def call_secret_create(self, record):
        if set(record) != {"value", "other_config"} or not isinstance(record["value"], str):
            self.complain(f"no record of a secret: keys {sorted(record)}")
        with self.guard:
            name = self.new_secret(record["value"])
            self.marks[name] = record["other_config"]
            return self.reference_of(name)

    def call_secret_get_all(self):
        return [self.reference_of(name) for name in self.secrets]

    def call_secret_get_other_config(self, reference):
        return self.marks.get(self.secret_of(reference), {})

    def call_secret_get_by_uuid(self, name):
        if name not in self.secrets:
            raise Failure("UUID_INVALID", "secret", name)
        return self.reference_of(name)

    def call_secret_get_uuid(self, reference):
        return self.secret_of(reference)

    def call_secret_get_value(self, reference):
        return self.secrets[self.secret_of(reference)]

    def call_secret_destroy(self, reference):
        with self.guard:
            del self.secrets[self.secret_of(reference)]
        return ""
