import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from mcnode.consensus.byzantine_ledger import Snapshot
from mcnode.consensus.metrics import VALIDATION_ERROR_LABELS_MAX, NodeMetrics, method_label
from mcnode.scp.ballot import Phase
from mcnode.scp.state import SlotMetrics


class Clock:
    def __init__(self) -> None:
        self.now = 10.0

    def __call__(self) -> float:
        self.now += 0.5
        return self.now


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/A.A/B", "A.A.B"),
        ("/Ab/c", "Ab.c"),
        ("/A/", None),
        ("A.A/B", None),
        ("", None),
        ("/", None),
    ],
)
def test_method_labels(path: str, label: str | None) -> None:
    assert method_label(path) == label


def test_counters_keep_their_plain_names() -> None:
    metrics = NodeMetrics()
    metrics.scp.count("add_tx", 2)
    metrics.scp.gauge("cur_slot_num", 3)
    metrics.scp.count_for_peer("seen", "a:1")
    metrics.scp.gauge_for_peer("lag", "a:1", 1.5)
    lines = metrics.text().splitlines()
    assert "# HELP consensus_scp Counters for consensus_scp" in lines
    assert "# TYPE consensus_scp counter" in lines
    assert 'consensus_scp{op="add_tx"} 2' in lines
    assert 'consensus_scp_gauge{op="cur_slot_num"} 3' in lines
    assert 'consensus_scp_peer_counter{op="seen",remote_responder_id="a:1"} 1' in lines
    assert 'consensus_scp_peer_gauge{op="lag",remote_responder_id="a:1"} 1.5' in lines
    assert not any("_created" in line or "_total" in line for line in lines)


def test_calls() -> None:
    metrics = NodeMetrics(Clock())
    for path, code in [
        ("/attest.AttestedApi/Auth", grpc.StatusCode.PERMISSION_DENIED),
        ("/grpc.health.v1.Health/Check", grpc.StatusCode.OK),
    ]:
        metrics.call_ended(path, metrics.call_started(path, 100), code)
    lines = metrics.text().splitlines()
    auth, check = "attest.AttestedApi.Auth", "grpc.health.v1.Health.Check"
    assert f'consensus_service_num_req{{method="{auth}"}} 1' in lines
    assert f'consensus_service_grpc_num_req{{method="{check}"}} 1' in lines
    assert f'consensus_service_duration_bucket{{method="{auth}",le="0.25"}} 0' in lines
    assert f'consensus_service_duration_sum{{method="{auth}"}} 0.5' in lines
    assert f'consensus_service_grpc_num_error{{method="{auth}"}} 1' in lines
    assert f'consensus_service_grpc_num_error{{method="{check}"}} 0' in lines
    status = "consensus_service_grpc_num_status_code"
    assert f'{status}{{method="{auth}",status_code="7-PERMISSION_DENIED"}} 1' in lines
    assert f'{status}{{method="{check}",status_code="0-OK"}} 1' in lines


def test_histogram_buckets_of_pending_values() -> None:
    metrics = NodeMetrics()
    metrics.block_externalized(tx_count=2, waited_s=[2.25])
    lines = metrics.text().splitlines()
    assert 'pending_value_processing_time_bucket{le="2.0"} 0' in lines
    assert 'pending_value_processing_time_bucket{le="60.0"} 1' in lines
    assert "pending_value_processing_time_sum 2.25" in lines
    assert 'consensus_scp{op="tx_externalized_count"} 2' in lines


def test_time_of_day_gauges() -> None:
    metrics = NodeMetrics(unix_time=lambda: 1_700_000_000.25)
    metrics.evidence_refreshed()
    metrics.block_externalized(tx_count=1, waited_s=[])
    lines = metrics.text().splitlines()
    assert 'consensus_scp_gauge{op="enclave_attestation_evidence_timestamp"} 1700000000' in lines
    assert 'consensus_scp_gauge{op="prev_slot_ended_at"} 1700000000250' in lines


def test_gauges_of_the_slot_under_way() -> None:
    metrics = NodeMetrics()
    slot = SlotMetrics(Phase.COMMIT, 11, 12, 13, 14, 15)
    metrics.show(Snapshot(5, 7, 2, 0, 9, False, slot), tx_cache_entries=3, events_waiting=6)
    lines = metrics.text().splitlines()
    for op, value in {
        "cur_slot_num": 5,
        "prev_slot_number": 4,
        "cur_num_pending_values": 7,
        "byzantine_ledger_msg_queue_size": 2,
        "tx_cache_num_entries": 3,
        "consensus_msgs_from_network_queue_size": 6,
        "cur_slot_phase": 4,
        "cur_slot_num_voted_nominated": 11,
        "cur_slot_num_accepted_nominated": 12,
        "cur_slot_num_confirmed_nominated": 13,
        "cur_slot_nomination_round": 14,
        "cur_slot_ballot_counter": 15,
    }.items():
        assert f'consensus_scp_gauge{{op="{op}"}} {value}' in lines


def test_labels_made_by_strangers_do_not_grow_without_end() -> None:
    metrics = NodeMetrics()
    for number in range(VALIDATION_ERROR_LABELS_MAX + 10):
        metrics.count_validation_error(f"Error{number}")
    text = metrics.text()
    assert 'consensus_service_tx_validation_errors{err="other"} 10' in text
    assert text.count("consensus_service_tx_validation_errors{") == VALIDATION_ERROR_LABELS_MAX + 1


def test_text_parses_and_escapes() -> None:
    metrics = NodeMetrics()
    metrics.count_validation_error('a"b\\c\nd')
    metrics.scp.observe("well_formed_check_time", 0.003)
    families = {family.name: family for family in text_string_to_metric_families(metrics.text())}
    (sample,) = families["consensus_service_tx_validation_errors"].samples
    assert sample.labels == {"err": 'a"b\\c\nd'}
    assert families["consensus_scp_duration"].type == "histogram"
