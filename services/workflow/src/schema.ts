import type { TenantStatusSchema } from '@claviger/database';
import type { OutboxSchema } from '@claviger/events';
import type { ColumnType, Generated, JSONColumnType, Selectable } from 'kysely';
import type { AssistantTables } from './assistant/assistant-tables.ts';
import type { BreakglassTables } from './breakglass/breakglass-schema.ts';
import type { ElevationTables } from './elevation/elevation-schema.ts';
import type { RulesTables } from './rules/rules-tables.ts';

/** One step of approval, as stored in a policy and copied into each request. */
export interface Step {
  readonly name: string;
  /** Number of different people who must approve. */
  readonly quorum: number;
  /** If both lists are empty: anyone with requests.decide. */
  readonly approverUserIds: readonly string[];
  readonly approverRoles: readonly string[];
}

/** The requirements for requests on a resource. */
export interface AccessPolicy {
  readonly steps: readonly Step[];
  readonly maxDurationMinutes: number;
  readonly oneTime: boolean;
  readonly rotateOnEnd: boolean;
  readonly requestTtlMinutes: number;
  /** 0 for the default policy. */
  readonly rowVersion: number;
  readonly customised: boolean;
}

/** Written once: an UPDATE cannot set it. */
type Fixed<T> = ColumnType<T, T, never>;
type Steps = JSONColumnType<Step[], string, string>;

export interface AccessPoliciesTable {
  tenant_id: Fixed<string>;
  resource_id: Fixed<string>;
  steps: Steps;
  max_duration_minutes: number;
  one_time: boolean;
  rotate_on_end: boolean;
  request_ttl_minutes: number;
  updated_by: string;
  updated_at: Generated<Date>;
  row_version: Generated<number>;
}

export type RequestStatus = 'pending' | 'approved' | 'denied' | 'cancelled' | 'expired';

/** The requirements of an entry for a disclosure. */
export interface Protection {
  readonly requiresGrant: boolean;
  readonly requiresReason: boolean;
}

export interface ProtectionChange {
  readonly before: Protection;
  readonly after: Protection;
}

/** A change of the access policy of a resource. */
export interface PolicyChange {
  readonly before: AccessPolicy;
  readonly after: AccessPolicy;
}

export interface RequestsTable {
  tenant_id: Fixed<string>;
  id: Fixed<string>;
  kind: Fixed<'access' | 'protection' | 'policy'>;
  status: Generated<RequestStatus>;
  requester_id: Fixed<string>;
  requester_name: Fixed<string>;
  /** Other users who count as the requester. */
  requester_behind: ColumnType<string[], string[] | undefined, never>;
  /** Null for the kind `policy`. */
  entry_id: Fixed<string | null>;
  entry_name: Fixed<string>;
  resource_id: Fixed<string | null>;
  resource_name: Fixed<string>;
  module_type: Fixed<string>;
  reason: Fixed<string>;
  ticket: Fixed<string>;
  duration_minutes: Fixed<number>;
  approved_duration_minutes: number | null;
  digest: Fixed<string>;
  /** For the kinds `protection` and `policy`: the change, and the digest of the change and its base state. */
  change: ColumnType<ProtectionChange | PolicyChange | null, string | undefined, never>;
  change_digest: ColumnType<string | null, string | undefined, never>;
  steps: ColumnType<Step[], string, never>;
  one_time: Fixed<boolean>;
  rotate_on_end: Fixed<boolean>;
  open_step: Generated<number>;
  created_at: ColumnType<Date, Date | undefined, never>;
  expires_at: Fixed<Date>;
  decided_at: Date | null;
}

export interface DecisionsTable {
  tenant_id: string;
  request_id: string;
  step: number;
  user_id: string;
  user_name: string;
  /** Other users who count as the user. */
  user_behind: Generated<string[]>;
  decision: 'approve' | 'deny';
  comment: string;
  duration_minutes: number | null;
  decided_at: Generated<Date>;
}

export type GrantStatus = 'activating' | 'active' | 'expired' | 'revoked' | 'failed';

export interface GrantsTable {
  tenant_id: Fixed<string>;
  id: Fixed<string>;
  request_id: Fixed<string>;
  user_id: Fixed<string>;
  user_name: Fixed<string>;
  entry_id: Fixed<string>;
  entry_name: Fixed<string>;
  resource_id: Fixed<string | null>;
  resource_name: Fixed<string>;
  module_type: Fixed<string>;
  status: Generated<GrantStatus>;
  one_time: Fixed<boolean>;
  rotate_on_end: Fixed<boolean>;
  starts_at: Fixed<Date>;
  expires_at: Fixed<Date>;
  ended_at: Date | null;
  credentials_delivered_at: Date | null;
  revoked_by: string | null;
  revoke_reason: Generated<string>;
  sync_wanted: 'place' | 'remove' | null;
  next_sync_at: Date | null;
  sync_attempts: Generated<number>;
  problem: Generated<string>;
  rotation: Generated<string>;
}

export interface WorkflowSchema
  extends AssistantTables,
    BreakglassTables,
    ElevationTables,
    RulesTables,
    OutboxSchema,
    TenantStatusSchema {
  access_policies: AccessPoliciesTable;
  requests: RequestsTable;
  decisions: DecisionsTable;
  grants: GrantsTable;
  account_standings: {
    tenant_id: string;
    user_id: string;
    version: number;
    active: boolean;
    changed_at: Generated<Date>;
    ended_at: Generated<Date | null>;
  };
}

export type RequestRow = Selectable<RequestsTable>;
export type DecisionRow = Selectable<DecisionsTable>;
export type GrantRow = Selectable<GrantsTable>;
