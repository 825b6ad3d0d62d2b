//! The list of the tests.

/// Makes a test of every function of the contract. `$fresh` is an `async fn(&Environment) -> Arc<dyn Database>`.
#[macro_export]
macro_rules! contract_suite {
    ($fresh:ident) => {
        $crate::contract_suite!(@tests $fresh,
            aggregates::{
                a_new_aggregate_is_read_back, a_save_replaces_and_counts_versions, a_deleted_aggregate_is_gone,
                a_save_of_an_old_version_is_stale, what_follows_a_commit_is_done_when_it_has_succeeded, a_delete_of_an_old_version_is_stale,
                a_check_fails_when_the_row_has_moved, a_second_row_of_an_id_is_a_duplicate,
                a_second_row_of_a_unique_key_is_a_duplicate, a_key_that_was_given_up_is_free,
                a_snapshot_does_not_see_later_commits, a_failed_batch_writes_nothing,
                of_many_savers_of_one_version_one_wins, unknown_members_survive, an_answer_is_replayed_until_it_expires,
                a_transaction_dropped_in_the_middle_leaves_no_trace,
            },
            audit::{
                entries_are_sealed_in_order_and_read_in_pages, an_administrators_reason_is_sealed,
                many_sealers_make_one_chain,
            },
            queries::{
                lists_by_promoted_columns, lists_in_order_and_in_pages, counts_ignore_the_page,
            },
            filters::{
                every_operator_on_every_sort_of_value, random_filters_agree_with_an_oracle,
                lists_sorted_by_a_property_are_read_on_by_their_last_place, ids_order_both_ways,
                long_texts_are_compared_whole, properties_follow_their_document, filters_are_per_owner_and_per_peer,
                promoted_columns_and_properties_narrow_together,
                ranges_hold_for_any_of_several_values, hostile_texts_are_texts,
            },
            isolation::{
                two_owners_may_use_one_id, an_owner_never_sees_anothers_rows, an_owner_cannot_write_anothers_rows,
                a_peer_sees_only_what_names_it, a_peer_cannot_write_what_names_another,
                a_peer_sees_no_events, a_job_of_another_owner_cannot_be_finished,
                unique_keys_and_nonces_are_per_owner,
            },
            jobs::{
                jobs_of_one_key_run_in_order, keys_are_per_owner, a_job_is_not_claimed_before_it_is_due,
                a_finished_job_is_gone, a_rescheduled_job_waits_and_counts, a_buried_job_lets_its_successor_go,
                cancelled_jobs_are_gone_but_a_held_one_stays, only_asked_kinds_are_claimed,
                the_next_due_time_is_known, signals_move_when_there_is_something_to_do,
            },
            leases::{
                a_leased_job_is_not_claimed_again, a_lease_that_ran_out_is_taken_and_fences_the_first,
                an_extended_lease_holds, a_job_is_claimed_by_the_commit_that_enqueues_it,
                a_commit_claims_no_job_behind_another, a_commit_claims_the_successor_of_the_job_it_completes,
                a_commit_claims_within_the_caps, a_job_is_claimed_once_by_many_claimers,
            },
            census::{
                a_census_counts_jobs_and_published_rows_of_all_owners, pools_are_told,
            },
            claims::{
                claims_go_round_the_owners, a_round_goes_on_where_the_last_claim_ended,
                a_host_takes_no_more_than_half_of_an_owners_places, an_owner_holds_no_more_than_its_cap,
                a_host_is_called_no_more_than_its_cap, a_capped_host_does_not_hide_other_jobs,
                the_caps_hold_for_a_job_alone,
            },
            fairness::{
                a_dead_peer_changes_nobody_elses_order,
            },
            dead::{
                a_job_that_was_set_aside_is_seen_by_its_owner_and_the_operator, dead_jobs_are_listed_by_what_they_are,
                a_replayed_job_runs_once_more_and_its_first_holder_is_fenced_off, a_replayed_job_goes_behind_its_key,
                a_discarded_job_is_gone_and_nobody_elses_is_touched, of_many_replays_of_a_job_one_happens,
            },
            clock::{
                a_jump_forward_while_leases_run_loses_nothing_and_doubles_nothing,
                a_jump_back_while_leases_run_loses_nothing_and_doubles_nothing,
                a_jump_back_delays_what_was_planned_before_and_nothing_after,
            },
            events::{
                events_are_read_in_order_after_a_cursor, events_of_others_are_not_read,
                the_management_plane_sees_no_participants_events,
                a_cursor_never_skips_while_others_write,
            },
            records::{
                a_nonce_is_accepted_once, of_concurrent_submits_of_a_nonce_one_wins,
                a_published_row_is_found_by_everybody, another_owner_cannot_take_a_published_key,
                published_rows_are_listed_in_pages, the_sweep_deletes_only_what_has_expired, a_sweep_ends_at_its_limit,
                a_closed_database_refuses, a_key_that_cannot_be_stored_is_not_there,
                lookups_inside_many_transactions_do_not_wait_for_one_another,
            },
            workers::{
                a_job_runs_after_its_commit, a_failing_job_is_tried_again_later,
                a_panicking_handler_does_not_stop_the_worker, a_drained_worker_has_finished_what_it_began,
                jobs_of_a_key_never_overlap, a_run_whose_lease_was_lost_is_broken_off,
            },
        );
    };
    (@tests $fresh:ident, $($module:ident::{$($name:ident),* $(,)?}),* $(,)?) => {$(
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let (environment, clock) = $crate::contract::World::environment();
                    let database = super::$fresh(&environment).await;
                    let world = $crate::contract::World::new(database.clone(), environment, clock);
                    $crate::contract::$module::$name(&world).await;
                    database.close().await;
                }
            )*
        }
    )*};
}
