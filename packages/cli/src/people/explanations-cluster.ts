import type { Explanation } from './explanation.ts';

/** Codes of leading and standing down. */
export const clusterExplanations: Readonly<Record<string, Explanation>> = {
  node_unknown: {
    meaning: 'The service has no replica of this name, or has not heard of it for a minute.',
    next: '`claviger cluster status` names the replicas of each service.',
  },
  node_silent: {
    meaning: 'The replica is not heard of at present, so it cannot lead.',
    next: 'See its log and start it again; repeat this when the status shows it as a follower.',
  },
  node_demoted: {
    meaning: 'An operator keeps this replica from leading.',
    next: 'Let it back in with `claviger cluster readmit`, then repeat this.',
  },
  last_replica: {
    meaning:
      'No other replica of the service may lead, or Redis does not say whether one lives. Without a leader the service does no duties: events stay in its outbox, schedules and sweeps wait.',
    next: 'Readmit or start another replica first. To demote it all the same, repeat the order with `--force`; it leaves the event `anomaly.last-replica-demoted`.',
  },
  node_leads: {
    meaning: 'The replica leads already.',
    next: 'There is nothing to do. To let another lead, promote that one.',
  },
  node_did_not_lead: {
    meaning: 'The replica was to lead, but did not take the lead in time.',
    next: 'Look at `claviger cluster status`: it may lead meanwhile. Its log and that of the former leader tell more.',
  },
  restore_unfinished: {
    meaning:
      'The database was restored to an older state. Nothing is served until what may have ended since has been ended.',
    next: 'An operator runs `claviger restore finish --yes` on the machine of the installation.',
  },
  restore_not_begun: {
    meaning: 'The restore epoch of this step is not the one that was begun last.',
    next: 'Run `claviger restore finish --yes` again: it begins a new epoch.',
  },
  election_unavailable: {
    meaning: 'Redis does not answer, so that nobody can be elected. Requests are served; duties wait.',
    next: 'Bring Redis back. Replicas elect a leader by themselves within seconds.',
  },
};
