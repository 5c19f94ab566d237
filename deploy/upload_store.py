"""Where callers of the API send files: the object store, signed with this deployment's own key."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from genoflow.api.ports import (
    Belonging,
    PartSum,
    SignedPart,
    StoredPart,
    UploadPlace,
)
from genoflow.deploy.download_links import end_of
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import ensure_raw_bucket, open_s3
from genoflow.events.errors import Refused, Retry, StackFault
from genoflow.events.file_landed import FileLanded
from genoflow.processors.intake.landing import belonging, landed
from genoflow.processors.ports import ObjectGone

if TYPE_CHECKING:
    from genoflow.processors.ports import ObjectHead

# A part of 16 MiB takes 14 s at 10 Mbit/s; a client that paused asks for another link.
LINK_SECONDS = 3_600
PUT_BYTES_MAX = 5 * 1_000**3  # S3's own limit of one PUT
# By the algorithm: the field of boto3, and the header that a client sends with the part.
FIELDS = {"SHA256": "ChecksumSHA256", "CRC64NVME": "ChecksumCRC64NVME"}
HEADERS = {"SHA256": "x-amz-checksum-sha256", "CRC64NVME": "x-amz-checksum-crc64nvme"}
# Of the whole object: a checksum over those of the parts, or one over all bytes.
KINDS = {"SHA256": "COMPOSITE", "CRC64NVME": "FULL_OBJECT"}


class StoreUploads:
    """Uploads over a store that speaks S3; it is asked for when the first upload is."""

    def __init__(
        self, settings: Settings, open_client: Callable[[Settings], Any] = open_s3
    ) -> None:
        self._settings = settings
        self._open = open_client
        self._client: Any = None
        self._opening = threading.Lock()

    @property
    def bucket(self) -> str:
        """Where files land."""
        return self._settings.raw_bucket

    def _opened(self) -> Any:
        with self._opening:
            if self._client is None:
                try:
                    client = self._open(self._settings)
                    ensure_raw_bucket(self._settings)
                except StackFault as error:  # the API answers everything else without a store
                    raise Retry(str(error)) from error
                self._client = client
            return self._client

    async def begin(self, object_key: str, belongs: Belonging, algorithm: str) -> str:
        """The store's name of the upload under this key: the open one, or a new one."""
        return await asyncio.to_thread(self._begin, object_key, belongs, algorithm)

    def _begin(self, object_key: str, belongs: Belonging, algorithm: str) -> str:
        from genoflow.processors.adapters.s3_errors import at  # noqa: PLC0415 -- loads boto3
        from genoflow.processors.adapters.s3_parts import begun_at  # noqa: PLC0415

        client = self._opened()
        before = begun_at(client, self.bucket, object_key)
        if before is not None:
            return before
        with at(self.bucket, object_key):
            answer = client.create_multipart_upload(
                Bucket=self.bucket,
                Key=object_key,
                Metadata=_metadata(belongs),
                ChecksumAlgorithm=algorithm,
                ChecksumType=KINDS[algorithm],
            )
        return str(answer["UploadId"])

    async def sign(
        self, place: UploadPlace, algorithm: str, parts: Sequence[PartSum]
    ) -> Sequence[SignedPart]:
        """Where each part goes; the store refuses other bytes than those of its checksum."""
        return await asyncio.to_thread(self._sign, place, algorithm, parts)

    def _sign(
        self, place: UploadPlace, algorithm: str, parts: Sequence[PartSum]
    ) -> list[SignedPart]:
        client = self._opened()
        signed = []
        for part in parts:
            named = {
                "Bucket": place.bucket,
                "Key": place.object_key,
                "UploadId": place.store_upload_id,
                "PartNumber": part.number,
                "ContentLength": part.size_bytes,
                FIELDS[algorithm]: part.checksum,
            }
            url = client.generate_presigned_url("upload_part", named, LINK_SECONDS)
            headers = {HEADERS[algorithm]: part.checksum}
            signed.append(SignedPart(part.number, url, headers, end_of(url)))
        return signed

    async def parts(self, place: UploadPlace) -> Sequence[StoredPart] | None:
        """What is there, by number; None where the store knows no such upload (any more)."""
        return await asyncio.to_thread(self._parts, place)

    def _parts(self, place: UploadPlace) -> list[StoredPart] | None:
        from genoflow.processors.adapters.s3_parts import parts_of  # noqa: PLC0415 -- loads boto3

        found = parts_of(self._opened(), *_names(place))
        if found is None:
            return None
        return [
            StoredPart(
                one["PartNumber"], one["Size"], one["ETag"],
                next((one[name] for name in FIELDS.values() if one.get(name)), None),
            )
            for one in found
        ]  # fmt: skip

    async def complete(
        self, place: UploadPlace, algorithm: str, parts: Sequence[StoredPart]
    ) -> FileLanded | None:
        """Make one object of these parts; None where the store knows no such upload (any more)."""
        return await asyncio.to_thread(self._complete, place, algorithm, parts)

    def _complete(
        self, place: UploadPlace, algorithm: str, parts: Sequence[StoredPart]
    ) -> FileLanded | None:
        from botocore.exceptions import ClientError  # noqa: PLC0415 -- few calls need it

        from genoflow.processors.adapters.s3_errors import at, code_and_status  # noqa: PLC0415
        from genoflow.processors.adapters.s3_parts import NO_SUCH_UPLOAD  # noqa: PLC0415

        named = [
            {"PartNumber": one.number, "ETag": one.etag, FIELDS[algorithm]: one.checksum}
            for one in parts
        ]
        client = self._opened()
        with at(place.bucket, place.object_key):
            try:
                client.complete_multipart_upload(
                    Bucket=place.bucket,
                    Key=place.object_key,
                    UploadId=place.store_upload_id,
                    MultipartUpload={"Parts": named},
                )
            except ClientError as error:
                code, _ = code_and_status(error)
                if code == NO_SUCH_UPLOAD:
                    return None
                if code in ("InvalidPart", "InvalidPartOrder", "BadDigest", "InvalidRequest"):
                    raise Refused(
                        f"s3://{place.bucket}/{place.object_key}: the store does not take these "
                        f"parts ({code}); ask for the list of parts, and send those that differ"
                    ) from error
                raise
        return self._landed(place.bucket, place.object_key)

    async def put(self, object_key: str, belongs: Belonging, body: BinaryIO) -> FileLanded:
        """Write a file whole; the store checks its SHA-256 before it says yes."""
        return await asyncio.to_thread(self._put, object_key, belongs, body)

    def _put(self, object_key: str, belongs: Belonging, body: BinaryIO) -> FileLanded:
        from genoflow.processors.adapters.s3_errors import at  # noqa: PLC0415 -- loads boto3

        client = self._opened()
        with at(self.bucket, object_key):
            client.put_object(
                Bucket=self.bucket,
                Key=object_key,
                Body=body,
                Metadata=_metadata(belongs),
                ChecksumSHA256=b64encode(bytes.fromhex(belongs.sha256)).decode(),
            )
        found = self._landed(self.bucket, object_key)
        if found is None:
            raise Retry(f"s3://{self.bucket}/{object_key}: is gone again; send the file once more")
        return found

    async def landed(self, bucket: str, object_key: str) -> FileLanded | None:
        """The fact that this object is whole; None where there is none."""
        return await asyncio.to_thread(self._landed, bucket, object_key)

    def _landed(self, bucket: str, object_key: str) -> FileLanded | None:
        from genoflow.processors.adapters.s3 import head_of  # noqa: PLC0415 -- loads boto3

        try:
            head: ObjectHead = head_of(self._opened(), bucket, object_key)
        except ObjectGone:
            return None
        return landed(head)

    async def drop(self, place: UploadPlace) -> None:
        """Free the parts; nothing where there are none, or the object is whole by now."""
        await asyncio.to_thread(self._drop, place)

    def _drop(self, place: UploadPlace) -> None:
        from genoflow.processors.adapters.s3_parts import drop_parts  # noqa: PLC0415

        drop_parts(self._opened(), *_names(place))


def _names(place: UploadPlace) -> tuple[str, str, str]:
    return place.bucket, place.object_key, place.store_upload_id


def _metadata(belongs: Belonging) -> dict[str, str]:
    return belonging(
        sample_id=belongs.sample_id,
        read_set_id=belongs.read_set_id,
        instrument_run_id=belongs.instrument_run_id,
        lane=belongs.lane,
        role=belongs.role,
        md5=belongs.md5,
        sha256=belongs.sha256,
    )
