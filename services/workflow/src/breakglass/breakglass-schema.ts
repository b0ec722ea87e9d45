import type { ColumnType, Generated, JSONColumnType, Selectable } from 'kysely';

type Fixed<T> = ColumnType<T, T, never>;

export type BreakglassState = 'awaiting-confirmation' | 'active' | 'expired' | 'deactivated' | 'lapsed';
export type OpenedBy = 'second-person' | 'sealed-code';

interface BreakglassSessionsTable {
  tenant_id: Fixed<string>;
  id: Fixed<string>;
  state: BreakglassState;
  user_id: Fixed<string>;
  user_name: Fixed<string>;
  /** Other users who count as this user. */
  user_behind: ColumnType<string[], string[] | undefined, never>;
  reason: Fixed<string>;
  all_entries: Fixed<boolean>;
  entry_ids: Fixed<string[]>;
  resource_ids: Fixed<string[]>;
  /** Shortened at the confirmation if the policy allows less by then. */
  duration_minutes: number;
  opened_by: Fixed<OpenedBy>;
  code_id: Fixed<string | null>;
  confirmed_by: string | null;
  confirmed_behind: Generated<string[]>;
  confirmed_by_name: Generated<string>;
  requested_at: ColumnType<Date, never, never>;
  confirm_until: Fixed<Date>;
  activated_at: Date | null;
  expires_at: Date | null;
  ended_at: Date | null;
  ended_by_name: Generated<string>;
  end_reason: Generated<string>;
  disclosed: Generated<number>;
  rotations_queued: Generated<number>;
  rotations_impossible: Generated<number>;
  review: Generated<string>;
  reviewed_by: string | null;
  reviewed_by_name: Generated<string>;
  reviewed_at: Date | null;
  sync_wanted: 'place' | 'end' | null;
  next_sync_at: Date | null;
  sync_attempts: Generated<number>;
  placed_at: Date | null;
}

interface BreakglassCodesTable {
  tenant_id: Fixed<string>;
  id: Fixed<string>;
  code_hash: Fixed<Buffer>;
  created_by: Fixed<string>;
  created_at: ColumnType<Date, never, never>;
  used_at: Date | null;
  used_by: string | null;
  withdrawn_at: Date | null;
}

export interface DrillStep {
  readonly name: string;
  readonly node: string;
  readonly ok: boolean;
  readonly problem: string;
  readonly tookMs: number;
}

interface BreakglassDrillsTable {
  tenant_id: Fixed<string>;
  id: Fixed<string>;
  passed: Fixed<boolean>;
  run_by: Fixed<string>;
  run_by_name: Fixed<string>;
  run_at: ColumnType<Date, never, never>;
  steps: JSONColumnType<DrillStep[], string, never>;
}

export interface BreakglassTables {
  breakglass_sessions: BreakglassSessionsTable;
  breakglass_codes: BreakglassCodesTable;
  breakglass_wrong_codes: {
    tenant_id: string;
    id: string;
    user_id: string;
    given_at: Generated<Date>;
  };
  breakglass_drills: BreakglassDrillsTable;
}

export type BreakglassSessionRow = Selectable<BreakglassSessionsTable>;
export type BreakglassDrillRow = Selectable<BreakglassDrillsTable>;
