import type { TenantStatus, TenantStatusSchema } from '@claviger/database';
import type { OutboxSchema } from '@claviger/events';
import type { Generated } from 'kysely';
import type { SettingsTables } from './settings/settings-schema.ts';

export interface AuthSchema extends SettingsTables, OutboxSchema, TenantStatusSchema {
  tenants: TenantsTable;
  root_key_canary: { one_row: Generated<boolean>; blob: Buffer };
  tenant_keys: TenantKeysTable;
  users: UsersTable;
  roles: RolesTable;
  user_roles: { tenant_id: string; user_id: string; role_id: string };
  credentials: CredentialsTable;
  mfa_factors: MfaFactorsTable;
  recovery_codes: RecoveryCodesTable;
  sessions: SessionsTable;
  refresh_tokens: RefreshTokensTable;
  api_tokens: ApiTokensTable;
  one_time_links: OneTimeLinksTable;
  login_failures: LoginFailuresTable;
  sign_in_places: { tenant_id: string; user_id: string; place: string; last_at: Generated<Date> };
  standing_deliveries: StatusDeliveriesTable;
  account_standings: AccountStatusTable;
  deprovision_orders: DeprovisionOrdersTable;
  billing_events: BillingEventsTable;
  billing_cursors: {
    tenant_id: string;
    next_audit_sequence: Generated<number>;
    next_sequence: Generated<number>;
  };
  sites: SitesTable;
  devices: DevicesTable;
  agent_tokens: AgentTokensTable;
  device_groups: DeviceGroupsTable;
  device_group_members: { tenant_id: string; group_id: string; device_id: string };
  user_sites: { tenant_id: string; user_id: string; site_id: string };
  directory_identities: DirectoryIdentitiesTable;
  directory_account_names: DirectoryAccountNamesTable;
  configuration_policies: ConfigurationPoliciesTable;
  deletion_records: { tenant_id: string; record: string; key_id: string; signed_at: Date };
}

interface TenantsTable {
  id: string;
  name: string;
  display_name: Generated<string>;
  status: Generated<TenantStatus>;
  platform: Generated<boolean>;
  created_at: Generated<Date>;
  version: Generated<number>;
  status_reason: Generated<string>;
  status_changed_by: Generated<string>;
  status_changed_at: Date | null;
}

interface TenantKeysTable {
  tenant_id: string;
  id: string;
  version: number;
  wrapped: Buffer;
  created_at: Generated<Date>;
  destroyed_at: Date | null;
}

export type UserKind = 'person' | 'machine';
export type UserStatus = 'active' | 'disabled';

interface UsersTable {
  tenant_id: string;
  id: Generated<string>;
  username: string;
  canonical_login: string;
  display_name: Generated<string>;
  email: Generated<string>;
  kind: UserKind;
  status: Generated<UserStatus>;
  epoch: Generated<number>;
  last_login_at: Date | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
  deleted_at: Date | null;
  row_version: Generated<number>;
  emergency_until: Date | null;
  emergency_session_id: string | null;
  site_restricted: Generated<boolean>;
  /** The responsible person of a machine identity; null if there is none. */
  responsible_id: string | null;
}

interface CredentialsTable {
  tenant_id: string;
  user_id: string;
  phc: string;
  changed_at: Generated<Date>;
  /** Another user who set it; null once the user has chosen it. */
  set_by: string | null;
}

interface RolesTable {
  tenant_id: string;
  id: Generated<string>;
  name: string;
  description: Generated<string>;
  permissions: string[];
  built_in: Generated<boolean>;
  row_version: Generated<number>;
}

interface MfaFactorsTable {
  tenant_id: string;
  id: string;
  user_id: string;
  kek_id: string;
  cek_id: string;
  wrapped_cek: Buffer;
  iv: Buffer;
  ciphertext: Buffer;
  tag: Buffer;
  commitment: Buffer;
  blob_sha256: Buffer;
  confirmed_at: Date | null;
  last_step: Generated<number>;
  set_up_in: string | null;
  created_at: Generated<Date>;
}

interface RecoveryCodesTable {
  tenant_id: string;
  id: Generated<string>;
  user_id: string;
  code_hash: Buffer;
  used_at: Date | null;
}

export type SessionKind = 'user' | 'api-token';

interface SessionsTable {
  tenant_id: string;
  id: string;
  user_id: string;
  kind: SessionKind;
  epoch: Generated<number>;
  mfa_pending: Generated<boolean>;
  mfa_at: Date | null;
  amr: string[];
  authenticated_at: Generated<Date>;
  last_seen_at: Generated<Date>;
  expires_at: Date;
  revoked_at: Date | null;
  revoked_reason: string | null;
}

interface RefreshTokensTable {
  tenant_id: string;
  token_hash: Buffer;
  session_id: string;
  generation: number;
  created_at: Generated<Date>;
  used_at: Date | null;
}

interface ApiTokensTable {
  tenant_id: string;
  id: Generated<string>;
  user_id: string;
  session_id: string;
  name: string;
  prefix: string;
  token_hash: Buffer;
  permissions: string[];
  created_by: string;
  created_at: Generated<Date>;
  expires_at: Date;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

export type LinkPurpose = 'password-reset' | 'setup';

interface OneTimeLinksTable {
  tenant_id: string;
  id: string;
  purpose: LinkPurpose;
  user_id: string | null;
  secret_hash: Buffer;
  failed_tries: Generated<number>;
  created_at: Generated<Date>;
  expires_at: Date;
  ended_at: Date | null;
}

/** `unlock` counts unlocks by the operator. */
export type FailureKind = 'password' | 'mfa' | 'recovery' | 'unlock';

interface LoginFailuresTable {
  tenant_id: string;
  kind: FailureKind;
  subject: string;
  place: string;
  failures: number;
  last_failed_at: Date;
  locked_until: Date | null;
}

interface StatusDeliveriesTable {
  tenant_id: string;
  service: string;
  wanted_version: number;
  applied_version: Generated<number>;
  attempts: Generated<number>;
  next_try_at: Generated<Date>;
}

interface AccountStatusTable {
  tenant_id: string;
  user_id: string;
  wanted_version: Generated<number>;
  applied_version: Generated<number>;
  active: boolean;
  ends: boolean;
  cause: string;
  changed_by: string;
  attempts: Generated<number>;
  next_try_at: Generated<Date>;
}

export type DeprovisionState = 'awaiting-confirmation' | 'confirmed' | 'withdrawn' | 'lapsed' | 'done';

interface DeprovisionOrdersTable {
  tenant_id: string;
  id: string;
  state: DeprovisionState;
  reason: string;
  ordered_by: string;
  ordered_by_name: string;
  ordered_at: Generated<Date>;
  confirm_until: Date;
  confirmed_by: string | null;
  confirmed_by_name: string | null;
  confirmed_at: Date | null;
  destroy_at: Date | null;
  ended_at: Date | null;
  attempts: Generated<number>;
  next_try_at: Date | null;
}

interface BillingEventsTable {
  tenant_id: string;
  sequence: number;
  id: string;
  audit_sequence: number;
  kind: string;
  quantity: number;
  unit: string;
  subject_type: string;
  subject_id: string;
  occurred_at: Date;
}

interface SitesTable {
  tenant_id: string;
  id: string;
  name: string;
  description: Generated<string>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
  row_version: Generated<number>;
}

export type DeviceStatus = 'active' | 'decommissioned';
export type DeviceOs = '' | 'windows' | 'linux' | 'macos';

interface DevicesTable {
  tenant_id: string;
  id: string;
  hostname: string;
  site_id: string | null;
  os: Generated<DeviceOs>;
  status: Generated<DeviceStatus>;
  linked_to_resource: Generated<boolean>;
  epoch: Generated<number>;
  last_seen_at: Date | null;
  enrolled_by: string;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
  decommissioned_at: Date | null;
  row_version: Generated<number>;
}

export type AgentTokenEnd = 'revoked' | 'rotated' | 'replaced' | 'never-used' | 'decommissioned' | 'restore';

interface AgentTokensTable {
  tenant_id: string;
  id: string;
  device_id: string;
  token_hash: Buffer;
  created_at: Generated<Date>;
  first_used_at: Date | null;
  expires_at: Date | null;
  revoked_at: Date | null;
  revoked_reason: AgentTokenEnd | null;
}

interface DeviceGroupsTable {
  tenant_id: string;
  id: string;
  name: string;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
  row_version: Generated<number>;
}

interface DirectoryIdentitiesTable {
  tenant_id: string;
  user_id: string;
  groups: string[];
  updated_by: string;
  updated_at: Generated<Date>;
  row_version: Generated<number>;
}

interface DirectoryAccountNamesTable {
  tenant_id: string;
  folded: string;
  bare: string;
  user_id: string;
  account_name: string;
  position: number;
}

export type ConfigurationScope = 'partner' | 'organization' | 'site' | 'group' | 'device';

interface ConfigurationPoliciesTable {
  tenant_id: string;
  id: string;
  feature: 'pam';
  scope: ConfigurationScope;
  site_id: string | null;
  group_id: string | null;
  device_id: string | null;
  uac_interception_enabled: boolean | null;
  updated_by: string;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
  row_version: Generated<number>;
}
