# SPDX-License-Identifier: LGPL-2.1-only
"""xen-upload to S3: what arrives, what is sent again after a cut, and what is said when it cannot be.

The server verifies each signature and each digest (fakes/s3.py), so an object that is there was asked for rightly.
"""
import concurrent.futures
import datetime
import hashlib
import os
import re
import shutil
import signal
import urllib.parse

import pytest

from fakes.fault_proxy import Fault, FaultProxy, flip
from fakes.s3 import Answer, Refused, S3Server
from fakes.tls import Authority
from uploading import CANARY, DENIED, DONE, FAILED, LATER, USAGE, Client, files_with, secret, sha256

PART = 64 * 1024
PARTS = 7
CHUNKED = ["--chunk-size", PART]
ONCE = ["--give-up-after", "0"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with S3Server(tmp_path_factory.mktemp("s3"), secret_key=f"{CANARY}-secret") as server:
        yield server


@pytest.fixture
def server(shared):
    """The shared one as if it were new; objects of other tests have other keys."""
    shared.odd = shared.after = shared.session_token = None
    shared.region, shared.etags, shared.page, shared.least_part = "us-east-1", "md5", 1000, 0
    shared.clock = datetime.timedelta()
    for upload in shared.uploads.values():
        shutil.rmtree(upload)
    shared.forget()
    return shared


@pytest.fixture
def report(tmp_path):
    path = tmp_path / "report.zip"
    path.write_bytes(os.urandom((PARTS - 1) * PART + 1234))
    return path


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.zip"
    path.write_bytes(os.urandom(5000))
    return path


@pytest.fixture
def client(tmp_path):
    return Client(tmp_path / "client")


@pytest.fixture
def key(tmp_path):
    return f"{tmp_path.name}/object"


def said(result):
    return result.stderr.decode()


def part_numbers(server):
    return [request.number for request in server.requests if request.step == "part"]


def at(step, number=1):
    """Says of each request whether it is the number-th of its step."""
    seen = []

    def hit(request):
        if request.step == step:
            seen.append(request)
        return request.step == step and len(seen) == number
    return hit


# What arrives.


def test_a_small_file_is_one_request_with_its_digests(server, client, small, key):
    client.send(small, *server.arguments(key))
    assert server.steps() == ["put"] and server.refused == []
    assert server.object(key) == small.read_bytes()
    headers = server.requests[0].headers
    assert headers["x-amz-content-sha256"] == headers["x-amz-meta-sha256"] == sha256(small)


def test_an_empty_file_is_an_empty_object(server, client, tmp_path, key):
    (tmp_path / "empty").touch()
    client.send(tmp_path / "empty", *server.arguments(key))
    assert server.object(key) == b""


def test_a_larger_file_comes_in_parts(server, client, report, key):
    client.send(report, *server.arguments(key), *CHUNKED)
    assert server.steps() == ["create", *["part"] * PARTS, "complete"] and server.refused == []
    assert part_numbers(server) == list(range(1, PARTS + 1))
    assert server.object(key) == report.read_bytes()
    assert server.uploads == {}
    assert files_with(client.state, "upload") == []


@pytest.mark.alike
@pytest.mark.parametrize("name", ("a b", "a+b", "ä€😀", "it's (1) ~!*;=@:&$,", "100%", "a?b=c", "deep/er/x.y-z_", "'\"\\<>", "a#b"))
def test_any_key_is_signed_as_the_server_reads_it(server, client, small, report, name, tmp_path):
    key = f"{tmp_path.name}/{name}"
    for file, options in ((small, []), (report, CHUNKED)):
        client.send(file, *server.arguments(urllib.parse.quote(key)), *options)
        assert urllib.parse.unquote(server.requests[-1].path) == f"/reports/{key}"
        assert server.refused == []
    assert server.count("put") == 1 and server.count("complete") == 1


def test_a_folder_gets_the_name_of_the_file_or_the_one_that_was_chosen(server, client, small, tmp_path):
    client.send(small, *server.arguments(f"{tmp_path.name}/"))
    client.send(small, *server.arguments(f"{tmp_path.name}/"), "--name", "other name.zip")
    assert server.object(f"{tmp_path.name}/small.zip") == server.object(f"{tmp_path.name}/other name.zip") == small.read_bytes()


def test_over_tls(tmp_path, client, report):
    authority = Authority(tmp_path / "ca")
    with S3Server(tmp_path / "s3", authority.certificate("server"), secret_key=f"{CANARY}-secret") as server:
        client.send(report, *server.arguments("k"), *CHUNKED, "--cacert", authority.pem)
        assert server.object("k") == report.read_bytes()
        result = client.run(report, *server.arguments("other"), *CHUNKED, *ONCE)
        assert result.returncode == DENIED and "certificate" in said(result)
        assert server.object("other") is None


def test_a_dry_run_asks_nobody(server, client, report, small, key):
    result = client.run(report, *server.arguments(key), *CHUNKED, "--dry-run")
    assert result.returncode == DONE and server.requests == []
    assert f"{server.origin}/reports/{key}?partNumber=1..{PARTS}" in result.stdout.decode()
    result = client.run(small, *server.arguments(key), "--dry-run")
    assert result.returncode == DONE and server.requests == []
    assert f"PUT {server.origin}/reports/{key}" in result.stdout.decode()


# Cuts.


@pytest.mark.parametrize("when", ("before", "after"))
@pytest.mark.parametrize("step,number", [("create", 1), ("part", 1), ("part", 4), ("part", PARTS), ("complete", 1)])
def test_a_client_that_is_killed_goes_on_with_at_most_one_part_sent_again(server, client, report, key, step, number, when):
    hit, process = at(step, number), concurrent.futures.Future()

    def kill(request, answer=None):
        if not hit(request):
            return answer
        process.result(60).kill()
        process.result().wait()
        return answer or Answer(500)
    if when == "before":
        server.odd = kill
    else:
        server.after = kill
    process.set_result(client.start(report, *server.arguments(key), *CHUNKED))
    process.result().communicate(timeout=60)
    assert process.result().returncode == -signal.SIGKILL
    server.odd = server.after = None
    client.send(report, *server.arguments(key), *CHUNKED)
    assert server.object(key) == report.read_bytes()
    numbers = part_numbers(server)
    assert len(numbers) <= PARTS + 1 and set(numbers) == set(range(1, PARTS + 1))
    assert server.count("create") <= (2 if step == "create" else 1)
    never_heard_of = (step, when) == ("create", "after")
    assert len(server.uploads) == (1 if never_heard_of else 0)


def test_a_client_that_is_killed_when_all_was_put_together_sends_nothing_again(server, client, report, key):
    server.after = lambda request, answer: None if request.step == "complete" else answer  # nobody hears of it
    result = client.run(report, *server.arguments(key), *CHUNKED, *ONCE)
    assert result.returncode == LATER
    server.forget()
    server.after = None
    client.send(report, *server.arguments(key), *CHUNKED)
    assert server.steps() == ["list", "look"]
    assert server.object(key) == report.read_bytes()


def test_a_part_that_is_cut_is_the_only_one_sent_again(server, client, report, key):
    with FaultProxy(("127.0.0.1", int(server.origin.rsplit(":", 1)[1])),
                    lambda n: Fault(up=3 * PART + 20000) if n == 0 else None) as proxy:
        options = [word.replace(server.origin, f"http://127.0.0.1:{proxy.port}") for word in server.arguments(key)]
        client.send(report, *options, *CHUNKED)
    assert proxy.cuts == 1
    assert part_numbers(server) == list(range(1, PARTS + 1)), "the part that was cut never became a request"
    assert server.count("create") == 1 and server.count("list") <= 1, "libcurl makes one cut good by itself"
    assert server.object(key) == report.read_bytes()


def test_bytes_that_are_damaged_on_the_way_are_sent_again(server, client, report, key):
    with FaultProxy(("127.0.0.1", int(server.origin.rsplit(":", 1)[1])),
                    lambda n: Fault(change=flip(2 * PART)) if n == 0 else None) as proxy:
        options = [word.replace(server.origin, f"http://127.0.0.1:{proxy.port}") for word in server.arguments(key)]
        client.send(report, *options, *CHUNKED)
    assert server.refused == ["XAmzContentSHA256Mismatch"]
    assert server.object(key) == report.read_bytes()


# Which parts are believed.


def interrupted(server, client, report, key, parts=4):
    """So many parts are there, and the client has given up."""
    hit = at("part", parts + 1)
    server.odd = lambda request: Answer(503) if hit(request) else None
    result = client.run(report, *server.arguments(key), *CHUNKED, *ONCE)
    assert result.returncode == LATER, said(result)
    server.odd = None
    server.forget()
    (upload_id,) = server.uploads
    assert len(server.parts(upload_id)) == parts
    return server.uploads[upload_id]


def test_a_part_with_other_bytes_is_sent_again(server, client, report, key):
    folder = interrupted(server, client, report, key)
    stored = folder / "2"
    stored.write_bytes(os.urandom(PART))
    (folder / "2.md5").write_text(hashlib.md5(stored.read_bytes()).hexdigest())
    client.send(report, *server.arguments(key), *CHUNKED)
    assert part_numbers(server) == [2, 5, 6, 7]
    assert server.object(key) == report.read_bytes()


def test_a_part_of_another_size_and_one_that_is_missing_are_sent_again(server, client, report, key):
    folder = interrupted(server, client, report, key)
    (folder / "1").write_bytes((folder / "1").read_bytes()[:-1])
    (folder / "3").unlink()
    (folder / "3.md5").unlink()
    client.send(report, *server.arguments(key), *CHUNKED)
    assert part_numbers(server) == [1, 3, 5, 6, 7]
    assert server.object(key) == report.read_bytes()


def test_tags_that_are_no_digests_are_believed_when_they_are_those_of_then(server, client, report, key):
    server.etags = "opaque"
    interrupted(server, client, report, key)
    client.send(report, *server.arguments(key), *CHUNKED)
    assert part_numbers(server) == [5, 6, 7]
    assert server.object(key) == report.read_bytes()


def test_tags_that_are_no_digests_are_not_believed_when_one_is_another(server, client, report, key):
    server.etags = "opaque"
    folder = interrupted(server, client, report, key)
    (folder / "2").write_bytes(os.urandom(PART))
    client.send(report, *server.arguments(key), *CHUNKED)
    assert part_numbers(server) == list(range(1, PARTS + 1))
    assert server.object(key) == report.read_bytes()


def test_a_list_of_several_pages_is_read_to_its_end(server, client, report, key):
    server.page = 2
    interrupted(server, client, report, key, 5)
    client.send(report, *server.arguments(key), *CHUNKED)
    assert server.count("list") == 3
    assert part_numbers(server) == [6, 7]


def test_a_list_that_goes_round_in_circles_ends(server, client, report, key):
    interrupted(server, client, report, key)
    loop = Answer(200, b"<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker>"
                       b"</ListPartsResult>")
    server.odd = lambda request: loop if request.step == "list" else None
    client.send(report, *server.arguments(key), *CHUNKED)
    assert server.count("list") == 2 and server.object(key) == report.read_bytes()


@pytest.mark.parametrize("etags", ("md5", "opaque"))
@pytest.mark.parametrize("answer", (Answer(501), Refused("AccessDenied").answer(), Answer(200, b"garbage"), Answer(405, b"<a/>")))
def test_without_a_list_what_was_confirmed_counts(server, client, report, key, answer, etags):
    server.etags = etags
    interrupted(server, client, report, key)
    server.odd = lambda request: answer if request.step == "list" else None
    client.send(report, *server.arguments(key), *CHUNKED)
    assert part_numbers(server) == [5, 6, 7] and server.count("create") == 0
    assert server.object(key) == report.read_bytes()


@pytest.mark.parametrize("harm", ("lost", "other bytes"))
def test_what_was_confirmed_and_is_not_there_is_sent_again_with_all_the_rest(server, client, report, key, harm):
    stored = interrupted(server, client, report, key) / "2"
    server.odd = lambda request: Answer(501) if request.step == "list" else None
    if harm == "lost":
        stored.unlink()
        stored.with_name("2.md5").unlink()
    else:
        stored.write_bytes(os.urandom(PART))
        stored.with_name("2.md5").write_text(hashlib.md5(stored.read_bytes()).hexdigest())
    client.send(report, *server.arguments(key), *CHUNKED)
    assert server.refused == ["InvalidPart"] and server.count("complete") == 2
    assert part_numbers(server) == [5, 6, 7, *range(1, PARTS + 1)]
    assert server.object(key) == report.read_bytes()


def test_without_a_list_and_with_a_record_that_does_not_fit_all_is_sent_again(server, client, report, key):
    interrupted(server, client, report, key)
    record, = client.state.glob("**/*.json")
    text = record.read_text()
    record.write_text(re.sub(r'("etags": ?")[0-9a-f]', r"\g<1>x", text))
    assert record.read_text() != text
    server.odd = lambda request: Answer(501) if request.step == "list" else None
    client.send(report, *server.arguments(key), *CHUNKED)
    assert part_numbers(server) == list(range(1, PARTS + 1)) and server.count("create") == 0
    assert server.object(key) == report.read_bytes()


def test_other_parts_than_before_are_a_new_upload_and_the_old_one_is_given_up(server, client, report, key):
    interrupted(server, client, report, key)
    client.send(report, *server.arguments(key), "--chunk-size", 2 * PART)
    assert server.steps() == ["abort", "create", *["part"] * 4, "complete"]
    assert server.uploads == {} and server.object(key) == report.read_bytes()


def test_an_upload_that_the_server_forgot_begins_anew(server, client, report, key):
    shutil.rmtree(interrupted(server, client, report, key))
    client.send(report, *server.arguments(key), *CHUNKED)
    assert server.steps() == ["list", "look", "create", *["part"] * PARTS, "complete"]
    assert server.object(key) == report.read_bytes()


def test_a_server_that_forgets_every_upload_is_not_asked_for_ever(server, client, report, key):
    server.odd = lambda request: Refused("NoSuchUpload").answer() if request.step == "part" else None
    result = client.run(report, *server.arguments(key), *CHUNKED)
    assert result.returncode == FAILED and "forgotten" in said(result)
    assert server.count("create") == 2


# The end.


@pytest.mark.parametrize("code", ("InternalError", "SlowDown"))
def test_success_with_an_error_in_it_is_none(server, client, report, key, code):
    hit = at("complete")
    server.odd = lambda request: Refused(code).answer(200) if hit(request) else None
    client.send(report, *server.arguments(key), *CHUNKED)
    assert server.count("complete") == 2 and len(part_numbers(server)) == PARTS
    assert server.object(key) == report.read_bytes()


def test_a_part_that_was_lost_at_the_end_is_sent_again(server, client, report, key):
    hit = at("complete")

    def lose(request):
        if hit(request):
            folder = server.uploads[request.query["uploadId"]]
            (folder / "3").unlink()
            (folder / "3.md5").unlink()
    server.odd = lose
    client.send(report, *server.arguments(key), *CHUNKED)
    assert server.refused == ["InvalidPart"]
    assert part_numbers(server) == [*range(1, PARTS + 1), 3]
    assert server.object(key) == report.read_bytes()


def test_parts_that_are_too_small_fail_for_good_and_nothing_is_left(server, client, report, key):
    server.least_part = 5 << 20
    result = client.run(report, *server.arguments(key), *CHUNKED)
    assert result.returncode == FAILED and "--chunk-size" in said(result)
    assert server.steps()[-1] == "abort" and server.uploads == {}


def test_a_file_that_changes_is_not_put_together(server, client, report, key):
    hit = at("part", 5)

    def change(request, answer):
        if hit(request):
            with open(report, "r+b") as file:
                file.write(b"something else")
        return answer
    server.after = change
    result = client.run(report, *server.arguments(key), *CHUNKED)
    assert result.returncode == FAILED and "changed" in said(result)
    assert server.count("complete") == 0 and server.object(key) is None
    assert server.steps()[-1] == "abort" and server.uploads == {}


def test_an_upload_is_given_up_when_told_so(server, client, report, key):
    interrupted(server, client, report, key)
    assert client.run(report, *server.arguments(key), *CHUNKED, "--abandon").returncode == DONE
    assert server.steps() == ["abort"] and server.uploads == {}
    client.send(report, *server.arguments(key), *CHUNKED)
    assert server.count("create") == 1


# What people are told.


def test_the_region_that_is_right_is_named(server, client, report, small, key):
    server.region = "eu-central-1"
    for file in (small, report):
        result = client.run(file, *server.arguments(key, region="us-east-1"), *CHUNKED)
        assert result.returncode == FAILED and "--region eu-central-1" in said(result)
    client.send(report, *server.arguments(key), *CHUNKED)


def test_a_redirect_is_never_followed(server, client, small, key, tmp_path):
    moved = Refused("PermanentRedirect", Endpoint="elsewhere.example").answer(301)
    moved.headers |= {"Location": f"{server.origin}/reports/elsewhere", "x-amz-bucket-region": "eu-west-3"}
    server.odd = lambda request: moved
    result = client.run(small, *server.arguments(key))
    assert result.returncode == FAILED and "--region eu-west-3" in said(result)
    del moved.headers["x-amz-bucket-region"]
    result = client.run(small, *server.arguments(key))
    assert result.returncode == FAILED and "elsewhere.example" in said(result) and "--endpoint" in said(result)
    assert server.steps() == ["put", "put"]


def test_a_wrong_clock_is_told_as_such(server, client, small, key):
    server.clock = datetime.timedelta(hours=1)
    result = client.run(small, *server.arguments(key))
    assert result.returncode == DENIED and "clock" in said(result)


@pytest.mark.parametrize("text,word", [("access_key=test-access\nsecret_key=wrong\n", "secret key is wrong"),
                                       ("access_key=nobody\nsecret_key=wrong\n", "does not know this access key")])
def test_wrong_keys_are_told_as_such(server, client, small, key, text, word):
    client.credentials = secret(client.folder, "wrong", text)
    result = client.run(small, *server.arguments(key))
    assert result.returncode == DENIED and word in said(result)


def test_without_keys_nothing_is_asked(server, client, small, key):
    result = client.run(small, *server.arguments(key), credentials=False)
    assert result.returncode in (USAGE, DENIED) and "access_key" in said(result)
    assert server.requests == []


def test_a_session_token_goes_along_signed(server, client, report, key):
    server.session_token = "a-session/token+" + "x" * 600 + "=="
    result = client.run(report, *server.arguments(key), *CHUNKED)
    assert result.returncode == DENIED
    client.credentials = secret(client.folder, "session", f"access_key=test-access\nsecret_key={CANARY}-secret\n"
                                                          f"session_token={server.session_token}\n")
    server.forget()
    client.send(report, *server.arguments(key), *CHUNKED)
    assert server.refused == []
    assert all(request.headers["x-amz-security-token"] == server.session_token for request in server.requests)


def test_a_token_that_the_server_sends_back_is_not_shown(server, client, small, key):
    token = "T" * 200
    client.credentials = secret(client.folder, "session", f"access_key=a\nsecret_key=b\nsession_token={token}\n")
    server.odd = lambda request: Refused("Odd", f"who is {request.headers['x-amz-security-token']}?").answer(400)
    result = client.run(small, *server.arguments(key))
    assert result.returncode == FAILED and "Odd" in said(result) and token[:70] not in said(result)


def test_a_bucket_that_is_missing_is_told(server, client, small):
    result = client.run(small, "s3://missing/key", *server.arguments()[1:])
    assert result.returncode == FAILED and "no such bucket" in said(result)


@pytest.mark.parametrize("url,options,word", [
    ("s3://reports/a", ["--chunk-size", "1M"], "5 MiB"),
    ("s3://reports/a?b", [], "query"),
    ("s3://reports/a/../b", [], "'..'"),
    ("s3://ab/c", [], "bucket"),
    ("s3://reports/a", ["--region", "x/y"], "--region"),
    ("s3://reports/a", ["--endpoint", "store:9000"], "--endpoint"),
])
def test_what_cannot_be_is_a_wrong_usage(client, small, url, options, word):
    result = client.run(small, url, *options)
    assert result.returncode == USAGE and word in said(result)
