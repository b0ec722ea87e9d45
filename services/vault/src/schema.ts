import type { RefusalKind, UnknownKind } from '@claviger/connectors';
import type { Reader, TenantStatusSchema, Tx } from '@claviger/database';
import type { OutboxSchema } from '@claviger/events';
import type { ColumnType, Generated } from 'kysely';

type Json = ColumnType<Record<string, unknown>, string, string>;
type Defaulted<T> = ColumnType<T, T | undefined, T>;

export type RotationState =
  | 'pending'
  | 'applying'
  | 'verified'
  | 'unverified'
  | 'refused'
  | 'ambiguous'
  | 'out_of_sync';
/** The target's answer to the current secret before an administrator set another one. */
export type FirstLogin = '' | 'accepted' | 'refused' | 'unknown' | 'not_tried';
/** Kind of a refusal or of a failed login; empty when the rotation ended for another reason. */
export type ProblemKind = '' | RefusalKind | UnknownKind;
export type EntryRotationState = 'idle' | 'pending' | 'applying' | 'ambiguous' | 'out_of_sync';
/** What happens to a secret that was disclosed under a grant that ended. */
export type RotationAfterGrant = 'queued' | 'not-needed' | 'impossible';
export type RotationTrigger = 'manual' | 'schedule' | 'grant-ended' | 'exposure';
/** How an actor came to know a secret. */
export type ExposureKind =
  | 'grant'
  | 'emergency'
  | 'share'
  | 'owner'
  | 'creator'
  | 'administrator'
  | 'recovery'
  | 'set';
export type VersionState = 'pending' | 'current' | 'previous' | 'rejected';

export interface VaultSchema extends OutboxSchema, TenantStatusSchema {
  root_key_canary: {
    only_one: Generated<boolean>;
    blob: Buffer;
    provider_id: string;
    created_at: Generated<Date>;
  };
  keks: {
    tenant_id: string;
    id: string;
    version: number;
    wrapped: Buffer;
    provider_id: string;
    state: 'pending' | 'active' | 'retiring' | 'retired' | 'destroyed';
    activated_at: Defaulted<Date | null>;
    retired_at: Defaulted<Date | null>;
    destroyed_at: Defaulted<Date | null>;
    created_at: Generated<Date>;
  };
  emergency_sessions: {
    tenant_id: string;
    id: string;
    user_id: string;
    all_entries: boolean;
    entry_ids: string[];
    resource_ids: string[];
    placed_at: Generated<Date>;
    expires_at: ColumnType<Date, Date | string, Date | string>;
    ended_at: Defaulted<Date | null>;
    end_cause: Defaulted<string | null>;
  };
  ended_emergency_sessions: { tenant_id: string; id: string; ended_at: Generated<Date> };
  emergency_disclosures: {
    tenant_id: string;
    event_id: string;
    session_id: string;
    user_id: string;
    entry_id: string;
    version: number;
    disclosed_at: ColumnType<Date, Date | string, never>;
    node: string;
    journal_seq: number;
    from_journal: boolean;
    recorded_at: Generated<Date>;
    rotation: Defaulted<RotationAfterGrant | null>;
  };
  key_jobs: {
    tenant_id: string;
    id: string;
    kind: 'rotate-kek' | 'repair';
    state: Defaulted<'queued' | 'running' | 'done' | 'failed'>;
    trigger: 'requested' | 'age' | 'wraps';
    reason: string;
    requested_by: string;
    requested_by_name: string;
    total: Defaulted<number>;
    processed: Defaulted<number>;
    rewrapped: Defaulted<number>;
    unrecoverable: Defaulted<number>;
    old_kek_id: Defaulted<string | null>;
    new_kek_id: Defaulted<string | null>;
    cursor_entry_id: Defaulted<string | null>;
    cursor_version: Defaulted<number | null>;
    problem: Defaulted<string>;
    lease_owner: Defaulted<string | null>;
    lease_until: Defaulted<Date | null>;
    next_attempt_at: Defaulted<Date>;
    created_at: Generated<Date>;
    started_at: Defaulted<Date | null>;
    finished_at: Defaulted<Date | null>;
  };
  key_findings: {
    tenant_id: string;
    job_id: string;
    entry_id: string;
    version: number;
    outcome: 'repaired' | 'unrecoverable';
    problem: string;
    found_at: Generated<Date>;
  };
  row_counts: { tenant_id: string; counted: string; scope: string; shard: number; total: number };
  modules: {
    tenant_id: string;
    id: string;
    name: string;
    type: string;
    enabled: Defaulted<boolean>;
    config: Json;
    status: Defaulted<'untested' | 'ok' | 'failing'>;
    status_problem: Defaulted<string>;
    tested_at: Date | null;
    row_version: Generated<number>;
    created_by: string;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  assets: {
    tenant_id: string;
    id: string;
    name: string;
    type: string;
    module_id: string | null;
    host: string;
    port: number;
    description: string;
    status: Defaulted<'active' | 'disabled'>;
    tags: string[];
    settings: Json;
    admin_entry_id: string | null;
    owner_id: string | null;
    row_version: Generated<number>;
    created_by: string;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  entries: {
    tenant_id: string;
    id: string;
    asset_id: string | null;
    name: string;
    type: string;
    username: string;
    description: string;
    tags: string[];
    current_version: number;
    rotation_state: Defaulted<EntryRotationState>;
    rotation_interval_hours: Defaulted<number>;
    next_rotation_at: Date | null;
    rotation_cause: Defaulted<Extract<RotationTrigger, 'exposure' | 'grant-ended'> | null>;
    last_rotated_at: Date | null;
    last_verified_at: Date | null;
    account_id: Defaulted<string | null>;
    account_due: Defaulted<boolean>;
    account_linked: Defaulted<boolean>;
    unproven: Defaulted<boolean>;
    requires_grant: boolean;
    requires_reason: boolean;
    status: Defaulted<'active' | 'deleted'>;
    deleted_at: Date | null;
    purged_at: Defaulted<Date | null>;
    owner_id: string | null;
    protection_version: Generated<number>;
    row_version: Generated<number>;
    created_by: string;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  accounts: {
    tenant_id: string;
    id: Generated<string>;
    target_key: string;
    account_key: string;
    probes: Generated<number>;
    probe_window_at: Date | null;
    accepted_entry_id: string | null;
    accepted_version: number | null;
  };
  entry_versions: {
    tenant_id: string;
    entry_id: string;
    version: number;
    state: VersionState;
    purpose: string;
    /** Null after the version was purged; its bytes are empty then. */
    kek_id: ColumnType<string, string, string | null>;
    purged_at: Defaulted<Date | null>;
    cek_id: string;
    wrapped_cek: Buffer;
    iv: Buffer;
    ciphertext: Buffer;
    tag: Buffer;
    commitment: Buffer;
    blob_sha256: Buffer;
    created_by: string;
    created_at: Generated<Date>;
    state_changed_at: Generated<Date>;
  };
  shares: {
    tenant_id: string;
    entry_id: string;
    user_id: string;
    access: 'view' | 'modify' | 'manage';
    granted_by: string;
    created_at: Generated<Date>;
  };
  entry_adoptions: {
    tenant_id: string;
    entry_id: string;
    former_owner_id: string | null;
    proposed_by: string;
    proposed_by_name: string;
    proposers: string[];
    reason: string;
    proposed_at: Generated<Date>;
    expires_at: ColumnType<Date, Date | string, Date | string>;
  };
  protection_decisions: {
    tenant_id: string;
    request_id: string;
    entry_id: string;
    changed_by: string;
    changed_at: Generated<Date>;
  };
  entitlements: {
    tenant_id: string;
    grant_id: string;
    entry_id: string;
    user_id: string;
    expires_at: ColumnType<Date, string, string>;
    one_time: boolean;
    rotate_on_end: boolean;
    placed_at: Generated<Date>;
    delivered_at: Date | null;
    delivery_count: Generated<number>;
    removed_at: Date | null;
    removal_cause: string | null;
    /** Null until the grant has ended. */
    rotation: RotationAfterGrant | null;
  };
  ended_grants: {
    tenant_id: string;
    grant_id: string;
    cause: string;
    ended_at: Generated<Date>;
  };
  exposures: {
    tenant_id: string;
    entry_id: string;
    version: number;
    user_id: string;
    first_seen_at: Generated<Date>;
    last_seen_at: Generated<Date>;
    grant_id: string | null;
    times: Generated<number>;
  };
  exposure_paths: {
    tenant_id: string;
    entry_id: string;
    version: number;
    user_id: string;
    kind: ExposureKind;
    via: Defaulted<string>;
    user_name: string;
    first_seen_at: Generated<Date>;
    last_seen_at: Generated<Date>;
    times: Generated<number>;
  };
  /** A view. */
  exposure_ledger: {
    tenant_id: string;
    entry_id: string;
    version: number;
    user_id: string;
    user_name: string;
    first_seen_at: Date;
    last_seen_at: Date;
    times: number;
    entry_name: string;
    entry_type: string;
    username: string;
    asset_id: string | null;
    asset_name: string;
    /** Unique. Sorts by entry, version and user. */
    key: string;
    current: boolean;
    under_way: boolean;
    due: boolean;
    obstacle: string | null;
  };
  rotations: {
    tenant_id: string;
    id: string;
    entry_id: string;
    version: number;
    state: RotationState;
    trigger: RotationTrigger;
    requested_by: string;
    requested_at: Generated<Date>;
    attempts: Generated<number>;
    next_attempt_at: ColumnType<Date | null, Date | undefined, Date | null>;
    lease_owner: string | null;
    lease_until: Date | null;
    applied_at: Date | null;
    problem: Generated<string>;
    problem_kind: Defaulted<ProblemKind>;
    hint: Defaulted<string>;
    secret_lost: Defaulted<boolean>;
    first_login: Defaulted<FirstLogin>;
    login_counted: Defaulted<boolean>;
    finished_at: Date | null;
  };
}

export type VaultReader = Reader<VaultSchema>;
export type VaultTx = Tx<VaultSchema>;
