import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Migration } from '@claviger/database';

/** For every service with duties; after `outboxMigration`. */
export const leadershipMigration: Migration = {
  name: '0000-leadership',
  sql: readFileSync(join(import.meta.dirname, 'leadership.sql'), 'utf8'),
};

/** Checks at a demotion whether another replica may lead; after `leadershipMigration`. */
export const lastReplicaMigration: Migration = {
  name: '0000-last-replica',
  sql: readFileSync(join(import.meta.dirname, 'last-replica.sql'), 'utf8'),
};

export interface LeadershipSchema {
  leader_lease: { role: string; term: number; node: string; raised_at: Date };
  demoted_nodes: { role: string; node: string; reason: string; demoted_by: string; demoted_at: Date };
}
