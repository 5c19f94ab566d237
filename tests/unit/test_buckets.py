"""What buckets are wanted to be: one table, and how it is held against what a store has."""

from __future__ import annotations

import json
from pathlib import Path

from genoflow.deploy.buckets import (
    CLASSES,
    CORS,
    ENCRYPTION,
    LIFECYCLE,
    LOCK,
    POLICY,
    VERSIONING,
    merged,
    stands,
    wanted,
)
from genoflow.deploy.configuration import configuration_of
from genoflow.deploy.settings import Settings, as_environment


def settings(tmp_path: Path) -> Settings:
    return Settings(
        home=tmp_path, raw_bucket="raw", raw_lock_days=90, cors_origins=("https://lab.example",),
        bucket_encryption={"raw": "arn:aws:kms:eu-central-1:1:key/7"},
    )  # fmt: skip


def test_each_class_is_what_its_files_need(tmp_path: Path) -> None:
    table = {one.bucket_class: one for one in wanted(settings(tmp_path))}
    assert (*table,) == CLASSES
    assert {name for name, one in table.items() if LOCK in one.documents} == {"raw"}
    versioned = {name for name, one in table.items() if VERSIONING in one.documents}
    assert versioned == {"raw", "references", "results"}
    moved = {
        name: [
            (move["StorageClass"], move["Days"])
            for rule in one.documents[LIFECYCLE]["Rules"]
            for move in rule.get("Transitions", ())
        ]
        for name, one in table.items()
    }
    assert moved == {
        "raw": [("GLACIER", 30)], "references": [("INTELLIGENT_TIERING", 0)],
        "work": [], "results": [], "delivery": [],
    }  # fmt: skip
    # A lifecycle sees neither a hold nor a run: none of these rules deletes an object.
    assert "Expiration" not in json.dumps([one.documents[LIFECYCLE] for one in table.values()])


def test_each_bucket_has_a_key_of_its_own_and_browsers_send_to_the_raw_one(tmp_path: Path) -> None:
    table = {one.bucket_class: one for one in wanted(settings(tmp_path))}
    assert table["raw"].key == "arn:aws:kms:eu-central-1:1:key/7"
    assert table["work"].key == "alias/genoflow-work"
    assert len({one.key for one in table.values()}) == len(CLASSES)
    assert {name for name, one in table.items() if CORS in one.documents} == {"raw"}
    assert table["raw"].documents[LOCK]["Rule"]["DefaultRetention"]["Days"] == 90


def test_what_a_store_adds_is_no_difference_and_what_it_lacks_is_one(tmp_path: Path) -> None:
    [raw, *_] = wanted(settings(tmp_path))
    lock = raw.documents[LOCK]
    default = lock["Rule"]["DefaultRetention"]
    assert stands(LOCK, lock, {**lock, "Rule": {"DefaultRetention": {**default, "Years": 0}}})
    assert not stands(LOCK, lock, {"ObjectLockEnabled": "Enabled", "Rule": {}})
    assert not stands(LOCK, lock, None)
    key = raw.documents[ENCRYPTION]
    assert stands(ENCRYPTION, key, key)
    assert not stands(ENCRYPTION, key, {"Rules": []})


def test_rules_of_others_stay_where_they_are(tmp_path: Path) -> None:
    [raw, *_] = wanted(settings(tmp_path))
    for aspect, field, others in (
        (LIFECYCLE, "Rules", {"ID": "theirs", "Status": "Enabled"}),
        (POLICY, "Statement", {"Sid": "Theirs", "Effect": "Allow"}),
    ):
        want = raw.documents[aspect]
        found = {field: [others]}
        assert not stands(aspect, want, found)
        put = merged(aspect, want, found)
        assert put[field] == [others, *want[field]]
        assert stands(aspect, want, put)
        assert merged(aspect, want, put) == put


def test_the_settings_survive_their_way_to_another_process(tmp_path: Path) -> None:
    named = as_environment(settings(tmp_path))
    assert json.loads(named["GENOFLOW_BUCKET_ENCRYPTION"]) == {
        "raw": "arn:aws:kms:eu-central-1:1:key/7"
    }
    shown = configuration_of(settings(tmp_path)).services["buckets"]
    assert shown["bucket_encryption"] == {"raw": "arn:aws:kms:eu-central-1:1:key/7"}
