import type { FlowType } from '@claviger/evaluator';
import type { ColumnType, Generated, Insertable, Selectable } from 'kysely';

type Fixed<T> = ColumnType<T, T, never>;

export type ElevationStatus =
  | 'pending'
  | 'approved'
  | 'auto_approved'
  | 'denied'
  | 'expired'
  | 'revoked'
  | 'actuating';
export type CommandType = 'actuate_elevation' | 'revoke_elevation';
export type CommandOutcome = 'succeeded' | 'failed' | 'timed_out';

interface ElevationRequestsTable {
  tenant_id: Fixed<string>;
  id: Fixed<string>;
  flow_type: Fixed<FlowType>;
  status: ElevationStatus;
  device_id: Fixed<string | null>;
  device_hostname: Fixed<string | null>;
  site_id: Fixed<string | null>;
  site_name: Fixed<string | null>;
  subject_username: Fixed<string | null>;
  subject_user_id: string | null;
  /** All possible subjects, and everybody who counts as the requester: none of them may decide. */
  possible_user_ids: Generated<string[]>;
  requester_id: Fixed<string | null>;
  requester_made_by: Fixed<string | null>;
  target_executable_path: Fixed<string | null>;
  target_executable_hash: Fixed<string | null>;
  target_executable_signer: Fixed<string | null>;
  parent_image: Fixed<string | null>;
  pid: Fixed<number | null>;
  command_line_sha256: Fixed<string | null>;
  command_line_length: Fixed<number | null>;
  reason: Fixed<string>;
  requested_minutes: Fixed<number | null>;
  observed_at: Fixed<Date | null>;
  requested_at: Fixed<Date>;
  decided_at: Date | null;
  expires_at: Date | null;
  ended_at: Date | null;
  approved_by: string | null;
  approved_by_name: string | null;
  denied_by: string | null;
  denied_by_name: string | null;
  revoked_by: string | null;
  revoked_by_name: string | null;
  decision_reason: string | null;
  matched_policy_name: Fixed<string | null>;
  pam_rule_id: Fixed<string | null>;
  pam_rule_name: Fixed<string | null>;
  decision_source: 'software_policy' | 'pam_rule' | 'human' | null;
  rule_set_version: Fixed<string>;
  actuation_outcome: CommandOutcome | null;
  tool_name: Fixed<string | null>;
  risk_tier: Fixed<number | null>;
  action_digest: Fixed<string | null>;
  execution_expires_at: Fixed<Date | null>;
}

interface DeviceCommandsTable {
  tenant_id: Fixed<string>;
  id: Fixed<string>;
  device_id: Fixed<string>;
  request_id: Fixed<string>;
  type: Fixed<CommandType>;
  timeout_ms: Fixed<number>;
  queued_at: ColumnType<Date, never, never>;
  first_delivered_at: Date | null;
  outcome: CommandOutcome | null;
  outcome_detail: Generated<string>;
  reported_at: Date | null;
}

interface DeviceUsersTable {
  tenant_id: Fixed<string>;
  device_id: Fixed<string>;
  user_id: Fixed<string>;
  last_seen_at: Date;
}

interface DeviceReportsTable {
  tenant_id: Fixed<string>;
  device_id: Fixed<string>;
  report_key: Fixed<string>;
  content_sha256: string;
  request_id: string | null;
  kept_until: Date;
}

export interface ElevationTables {
  device_users: DeviceUsersTable;
  device_reports: DeviceReportsTable;
  elevation_requests: ElevationRequestsTable;
  device_commands: DeviceCommandsTable;
}

export type ElevationRow = Selectable<ElevationRequestsTable>;
export type NewElevation = Insertable<ElevationRequestsTable>;
export type CommandRow = Selectable<DeviceCommandsTable>;
