# SPDX-License-Identifier: LGPL-2.1-only
"""xen-upload to a Health Check service as XenCenter knew it: tokens and chunks."""
import concurrent.futures
import hashlib
import json
import os

import pytest

from fakes import health_check_service
from uploading import DENIED, DONE, FAILED, LATER, USAGE, Client, loopback_certificate, secret, sha256

MIB = 1 << 20


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    return loopback_certificate(tmp_path_factory.mktemp("pem"))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "status-report-2026-11-22 é&.zip"
    path.write_bytes(b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(120_000)) + b"end")
    return path


@pytest.fixture
def service(pem):
    with health_check_service.HealthCheckService(pem) as service:
        yield service


@pytest.fixture
def client(tmp_path, pem, service):
    client = Client(tmp_path / "client", "--cacert", pem)
    client.credentials = secret(client.folder, "service", f"token={service.token('upload')}\n")
    return client


def whole(service):
    bundle, = service.bundles.values()
    return bundle.data


# Uploads

@pytest.mark.parametrize("end", ["", "/"])
def test_a_host_alone_means_the_usual_path(client, service, report, end):
    client.send(report, f"cis+{service.origin}{end}")
    assert whole(service) == report.read_bytes()


def test_a_file_arrives_in_chunks_of_one_mebibyte(client, service, report, tmp_path):
    receipt = tmp_path / "receipt.json"
    client.send("--receipt", receipt, report, service.url)
    (name, bundle), = service.bundles.items()
    assert bundle.data == report.read_bytes() and bundle.is_complete
    assert (bundle.name, bundle.size, bundle.case, bundle.verbosity) == (report.name, report.stat().st_size, None, "2")
    assert service.chunks == [(name, n * MIB, min(MIB, bundle.size - n * MIB)) for n in range(4)]
    told = json.loads(receipt.read_text())
    assert (told["protocol"], told["id"], told["sha256"]) == ("cis", name, sha256(report))


def test_case_and_verbosity_are_told(client, service, report):
    client.send("--case", "81234567", "--verbosity", "9", "--name", "other.zip", report, service.url)
    bundle, = service.bundles.values()
    assert (bundle.case, bundle.verbosity, bundle.name) == ("81234567", "9", "other.zip")


@pytest.mark.alike
@pytest.mark.parametrize("size, chunks", [(0, 0), (1, 1), (MIB, 1), (MIB + 1, 2)])
def test_sizes_around_a_chunk_arrive(client, service, tmp_path, size, chunks):
    path = tmp_path / "some.zip"
    path.write_bytes(b"x" * size)
    client.send(path, service.url)
    assert whole(service) == path.read_bytes() and len(service.chunks) == chunks


def test_an_url_without_its_last_slash_is_the_same(client, service, report):
    client.send(report, service.url.rstrip("/"))
    assert whole(service) == report.read_bytes()


def test_ids_may_be_numbers_and_a_status_may_be_missing(client, service, report):
    service.number_ids, service.has_status = True, False
    client.send(report, service.url)
    assert list(service.bundles) == ["1000"] and whole(service) == report.read_bytes()


@pytest.mark.alike
@pytest.mark.parametrize("misfortunes", [[500], [502, 503], ["late"], ["cut", "cut"], ["page", 500]], ids=str)
def test_a_chunk_is_tried_three_times_in_one_attempt(client, service, report, misfortunes):
    service.misfortunes = [None, *misfortunes]
    client.send("--give-up-after", "0", report, service.url)
    assert whole(service) == report.read_bytes()
    assert [offset for _, offset, _ in service.chunks] == [0] + [MIB] * len(misfortunes) + [MIB, 2 * MIB, 3 * MIB]


@pytest.mark.parametrize("misfortune", [500, "late", "cut"])
def test_another_attempt_goes_on_with_the_same_bundle(client, service, report, misfortune):
    service.misfortunes = [None] + [misfortune] * 9
    assert client.run("--give-up-after", "0", report, service.url).returncode == LATER
    service.misfortunes, tried = [], len(service.chunks)
    assert tried == 4 or misfortune == "cut" and tried == 5  # libcurl itself begins again when a kept connection ends
    client.send("--give-up-after", "0", report, service.url)
    assert whole(service) == report.read_bytes()
    assert [offset for _, offset, _ in service.chunks] == [0] + [MIB] * tried + [2 * MIB, 3 * MIB]


def test_a_page_is_no_confirmation(client, service, report):
    service.misfortunes = [None] + ["page"] * 3
    result = client.run("--give-up-after", "0", report, service.url)
    assert result.returncode == FAILED and b"JSON" in result.stderr and b"hotel" not in result.stderr


def test_a_server_that_is_busy_is_not_asked_again_at_once(client, service, report):
    service.misfortunes = [None, 429, 429]
    assert client.run("--give-up-after", "0", report, service.url).returncode == LATER
    assert len(service.chunks) == 2


def test_a_bundle_that_the_server_forgot_is_announced_anew(client, service, report):
    service.misfortunes = [None, None, "forget"]
    client.send("--give-up-after", "0", report, service.url)
    assert whole(service) == report.read_bytes()
    assert [offset for _, offset, _ in service.chunks] == [0, MIB, 2 * MIB, 0, MIB, 2 * MIB, 3 * MIB]


def test_a_server_that_always_forgets_is_given_up(client, service, report):
    service.misfortunes = [None, "forget"] * 10
    result = client.run("--give-up-after", "0", report, service.url)
    assert result.returncode == FAILED
    assert len(service.chunks) == 4


def test_a_server_that_takes_no_first_chunk_gets_no_second_bundle(client, service, report):
    service.misfortunes = [400] * 5
    assert client.run("--give-up-after", "0", report, service.url).returncode == FAILED
    assert len(service.chunks) == 1 and len(service.bundles) == 1


def test_a_file_that_stays_incomplete_is_not_called_done(client, service, report):
    service.misfortunes = ["stuck"] * 9
    result = client.run("--give-up-after", "0", report, service.url)
    assert result.returncode == FAILED and b"incomplete" in result.stderr
    assert len(service.chunks) == 8


@pytest.mark.parametrize("status, code", [(401, DENIED), (403, DENIED), (413, FAILED)])
def test_a_refusal_ends_it(client, service, report, status, code):
    service.misfortunes = [None, status]
    assert client.run(report, service.url).returncode == code
    assert len(service.chunks) == 2


def test_a_token_of_another_kind_is_refused_at_once(client, service, report):
    client.credentials.write_text(f"token={service.token('diagnostic')}\n")
    result = client.run(report, service.url)
    assert result.returncode == DENIED and b"--grant" in result.stderr
    assert [status for _, status in service.log] == [401]


def test_a_client_that_is_killed_sends_one_chunk_again_at_most(client, service, report):
    for chunk in range(4):
        running = concurrent.futures.Future()
        service.misfortunes = [None] * bool(chunk) + [lambda: running.result(60).kill()]
        running.set_result(client.start(report, service.url))
        running.result().communicate(timeout=60)
        assert running.result().returncode == -9
    client.send(report, service.url)
    assert whole(service) == report.read_bytes()
    assert [offset for _, offset, _ in service.chunks] == [0, 0, MIB, MIB, 2 * MIB, 2 * MIB, 3 * MIB, 3 * MIB]


@pytest.mark.parametrize("arguments", [["--chunk-size", "2M"], ["--case", "1000000000"]])
def test_what_the_protocol_cannot_say_is_refused(client, service, report, arguments):
    assert client.run(*arguments, report, service.url).returncode == USAGE
    assert not service.log


def test_a_dry_run_says_what_would_be_asked_and_asks_nothing(client, service, report):
    result = client.run("--dry-run", report, service.url)
    assert result.returncode == DONE and b"bundle/?size=3840003&name=status-report" in result.stdout
    assert b"4 requests" in result.stdout and not service.log


# Tokens

@pytest.fixture
def person(client, service):
    client.credentials = secret(client.folder, "person", f"username={service.user}\npassword={service.password}\n")
    return client


def test_a_name_and_a_password_become_tokens_in_a_private_file(person, service, report, tmp_path):
    output = tmp_path / "grant.json"
    result = person.send("--grant", service.origin, "--output", output)
    grant = json.loads(output.read_text())
    assert grant["schema"] == "xenhealth-grant/1" and output.stat().st_mode & 0o777 == 0o600
    assert service.tokens[grant["upload_token"]] == "upload"
    assert service.tokens[grant["diagnostic_token"]] == "diagnostic"
    assert grant["upload_url"] == service.url
    assert [step for step, _ in service.wishes] == ["identity", "grant", "upload", "diagnostic"]
    assert "expiration" not in service.wishes[1][1] and service.wishes[2][1]["expiration"] == 0
    for token in service.tokens:
        assert token.encode() not in result.stdout + result.stderr
    person.credentials = secret(person.folder, "granted", f"token={grant['upload_token']}\n")
    person.send(report, grant["upload_url"])
    assert whole(service) == report.read_bytes()


def test_tokens_for_one_upload_expire_and_serve_as_they_were_written(person, service, report, tmp_path):
    output = tmp_path / "grant.json"
    person.send("--grant", service.url.removeprefix("cis+"), "--output", output, "--expires", "1d")
    wishes = dict(service.wishes)
    assert wishes["grant"]["expiration"] == wishes["upload"]["expiration"] == wishes["diagnostic"]["max_age"] == 86400
    person.send("--token", output, report, service.url, credentials=False)
    assert whole(service) == report.read_bytes()


def test_a_service_may_know_another_product(person, service, tmp_path):
    person.run("--grant", service.origin, "--output", tmp_path / "grant.json", "--product-key", "somebody")
    assert dict(service.wishes)["upload"]["product_key"] == "somebody"


@pytest.mark.parametrize("text", ["{", '{"token": "x"}', '{"schema": "xenhealth-grant/1"}',
                                  '{"schema": "xenhealth-grant/1", "upload_token": ""}'])
def test_json_that_is_no_grant_is_not_sent_as_a_token(client, service, report, tmp_path, text):
    result = client.run("--token", secret(tmp_path, "odd", text), report, service.url, credentials=False)
    assert result.returncode == FAILED and b"what --grant writes" in result.stderr and not service.log


def test_a_service_without_results_gives_a_token_for_uploads(person, service, tmp_path):
    service.has_diagnostic, service.token_name = False, "Token"
    output = tmp_path / "grant.json"
    person.send("--grant", service.origin + "/", "--output", output)
    grant = json.loads(output.read_text())
    assert service.tokens[grant["upload_token"]] == "upload" and grant["diagnostic_token"] is None


def test_a_wrong_password_is_called_so(person, service, tmp_path):
    service.password = "not-a-real-secret-other"
    output = tmp_path / "grant.json"
    result = person.run("--grant", service.origin, "--output", output)
    assert result.returncode == DENIED and b"password" in result.stderr and not output.exists()
    assert [status for _, status in service.log] == [403]


@pytest.mark.alike
@pytest.mark.parametrize("answer", [b"{}", b"<html>", b'{"token":17.5}', b'{"token":"a b"}', b'{"token":""}', b""])
def test_an_answer_without_a_token_is_no_token(person, service, tmp_path, answer):
    service.actions["POST", "/feeds/api/create_grant/"] = lambda *_: answer
    result = person.run("--grant", service.origin, "--output", tmp_path / "grant.json")
    assert result.returncode == FAILED and b"asking for a grant" in result.stderr
    assert not os.path.exists(tmp_path / "grant.json")


def test_a_name_and_a_password_are_no_token(person, service, report):
    result = person.run(report, service.url)
    assert result.returncode == DENIED and b"--grant URL" in result.stderr and result.stdout == b""
    assert not service.log


def test_a_grant_needs_a_name_and_a_password(client, service, tmp_path):
    result = client.run("--grant", service.origin, "--output", tmp_path / "grant.json")
    assert result.returncode in (USAGE, FAILED) and b"username" in result.stderr
    assert not service.log


def test_tokens_that_could_not_be_kept_are_not_asked_for(person, service, tmp_path):
    for output, word in ((tmp_path / "no/such", b"no folder that may be written to"), (tmp_path, b"is a folder")):
        result = person.run("--grant", service.origin, "--output", output)
        assert result.returncode == USAGE and word in result.stderr
    assert not service.log
