import type * as replicas from '@claviger/contracts/cluster/v1/replicas';
import { type Database, sqlState } from '@claviger/database';
import { ClavigerError, isClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { Cluster, ReplicaDetails } from './cluster.ts';
import { readTerms } from './cluster-state.ts';
import { describeReplica } from './describe-replica.ts';
import type { HeardReplicas, Nomination } from './election-store.ts';

/** All replicas of one service: their state, and which may lead. */
export interface ServiceReplicas {
  describe(): Promise<replicas.ServiceReplicas>;
  /** Makes a node the leader; returns its term. Throws a refusal for the operator when it cannot lead. */
  stand(node: string): Promise<number>;
  /**
   * Demotes a replica. Unless forced, throws `last_replica` when no other living replica may lead, or when
   * that is unknown.
   */
  standDown(order: {
    readonly node: string;
    readonly reason: string;
    readonly demotedBy: string;
    readonly force: boolean;
  }): Promise<Demotion>;
  readmit(node: string): Promise<boolean>;
}

export interface Demotion {
  /** False when it was demoted already. */
  readonly changed: boolean;
  /** Whether no other replica may lead now. */
  readonly wasLast: boolean;
}

/** SQLSTATE of `demote_node`. */
const LAST = 'CLV03';

/** Shorter than the limit of an idle transaction. */
const STAND_WITHIN_MS = 6_000;
const POLL_MS = 50;

export function createServiceReplicas<DB>(cluster: Cluster, database: Database<DB>): ServiceReplicas {
  const { service, store, timing } = cluster;

  const list = async (): Promise<HeardReplicas<ReplicaDetails>> => {
    try {
      return await store.list();
    } catch (cause) {
      throw new ClavigerError('unavailable', `Redis does not answer ${service}: no leader can be elected.`, {
        cause,
        code: 'election_unavailable',
        retryAfterSeconds: 5,
        hint: 'Calls are still served; duties wait. Restore Redis, then repeat the command.',
      });
    }
  };

  const nominate = async (node: string): Promise<void> => {
    const { demoted } = await readTerms(database, service);
    if (demoted.some((each) => each.node === node)) throw refusal(service, node, 'demoted');
    // Redis must answer for a nomination; without it, throw the same error as for the list.
    await list();
    const answer = await store.nominate(node, timing.leaseMs, STAND_WITHIN_MS);
    if (answer !== 'nominated') throw refusal(service, node, answer);
  };

  return {
    describe: async () => {
      const problems: string[] = [];
      const told = (error: unknown): undefined => {
        problems.push(isClavigerError(error) ? error.message : `${service} cannot read its leader.`);
        return undefined;
      };
      const [heard, terms] = await Promise.all([
        list().catch(told),
        readTerms(database, service).catch(told),
      ]);
      const now = Date.now();
      const own = { node: cluster.node, silentMs: 0, details: cluster.details() };
      const others = (heard?.replicas ?? []).filter((each) => each.node !== cluster.node);
      const { lease, demoted = [] } = terms ?? {};
      const leader = heard?.leader !== undefined && heard.leader === lease?.node ? heard.leader : '';
      return {
        service,
        leader,
        term: lease?.term ?? 0,
        termBeganAt: lease?.raisedAt.toISOString(),
        nominee: heard?.nominee ?? '',
        problem: problems.join(' '),
        replicas: [own, ...others]
          .toSorted((a, b) => a.node.localeCompare(b.node, 'en', { numeric: true }))
          .map((each) =>
            describeReplica(each, {
              now,
              leaseMs: timing.leaseMs,
              leader,
              isDemoted: demoted.some(({ node }) => node === each.node),
            }),
          ),
        demoted: demoted.map((each) => ({ ...each, demotedAt: each.demotedAt.toISOString() })),
      };
    },

    stand: async (node) => {
      await nominate(node);
      const deadline = performance.now() + STAND_WITHIN_MS;
      while (performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        const [heard, { lease }] = await Promise.all([list(), readTerms(database, service)]);
        if (heard.leader === node && lease?.node === node) return lease.term;
      }
      throw new ClavigerError('unavailable', `${node} does not lead ${service} yet.`, {
        code: 'node_did_not_lead',
        retryAfterSeconds: 2,
        hint: 'Run `claviger cluster status`: the node may lead by now, or be silent.',
      });
    },

    standDown: async ({ node, reason, demotedBy, force }) => {
      // A demotion must work without Redis.
      const heard = await store.list().catch(() => undefined);
      const { lease, demoted } = await readTerms(database, service);
      const isKnown =
        heard === undefined ||
        lease?.node === node ||
        [...heard.replicas, ...demoted].some((each) => each.node === node);
      if (!isKnown) throw refusal(service, node, 'unknown');
      const living = (heard?.replicas ?? [])
        .filter(({ silentMs }) => silentMs < timing.leaseMs)
        .map((each) => each.node);
      const demotion = await database
        .system(async (tx) => {
          const { rows } = await sql<{ changed: boolean; was_last: boolean }>`
            SELECT changed, was_last
            FROM demote_node(${service}, ${node}, ${reason}, ${demotedBy}, ${living}::text[], ${force})`.execute(
            tx,
          );
          return { changed: rows[0]!.changed, wasLast: rows[0]!.was_last };
        })
        .catch((error: unknown) => {
          if (sqlState(error) === LAST) throw refusal(service, node, heard ? 'last' : 'perhaps-last');
          throw error;
        });
      await store.mark(node, true).catch(() => {});
      if (node === cluster.node) cluster.checkDemotion();
      return demotion;
    },

    readmit: async (node) => {
      const changed = await database.system(async (tx) => {
        const { rows } = await sql<{
          changed: boolean;
        }>`SELECT readmit_node(${service}, ${node}) AS changed`.execute(tx);
        return rows[0]!.changed;
      });
      await store.mark(node, false).catch(() => {});
      if (node === cluster.node) cluster.checkDemotion();
      return changed;
    },
  };
}

function refusal(
  service: string,
  node: string,
  why: Exclude<Nomination, 'nominated'> | 'last' | 'perhaps-last',
): ClavigerError {
  switch (why) {
    case 'unknown':
      return new ClavigerError('not_found', `No replica of ${service} is called ${node}.`, {
        code: 'node_unknown',
        hint: 'List the replicas with `claviger cluster status`.',
      });
    case 'dead':
      return new ClavigerError('conflict', `${node} is silent: it cannot lead.`, {
        code: 'node_silent',
        hint: 'Check its log; repeat the command when the status shows it as follower.',
      });
    case 'demoted':
      return new ClavigerError('conflict', `${node} was demoted: it may not lead.`, {
        code: 'node_demoted',
        hint: 'Readmit it first.',
      });
    case 'last':
      return new ClavigerError(
        'conflict',
        `${node} is the last replica of ${service} that may lead: without it ${service} runs no duties.`,
        { code: 'last_replica', hint: 'Readmit or start another replica first, or use force.' },
      );
    case 'perhaps-last':
      return new ClavigerError(
        'conflict',
        `Redis does not answer: it is unknown whether a replica of ${service} other than ${node} can lead.`,
        { code: 'last_replica', hint: 'Restore Redis, or use force.' },
      );
    case 'leads':
      return new ClavigerError('conflict', `${node} leads ${service} already.`, { code: 'node_leads' });
  }
}
