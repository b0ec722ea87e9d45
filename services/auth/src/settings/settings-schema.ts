import type { Generated } from 'kysely';

/** Tables of the settings, the license and the running replicas. */
export interface SettingsTables {
  config_versions: {
    tenant_id: string;
    version: number;
    actor_id: string;
    actor_name: string;
    reason: string;
    keys: string[];
    created_at: Generated<Date>;
  };
  config_values: ConfigValuesTable;
  replicas: {
    node: string;
    service: string;
    version: string;
    started_at: Date;
    seen_at: Generated<Date>;
    ended_at: Date | null;
  };
  product_versions: { version: string; first_seen_at: Generated<Date> };
  licences: {
    tenant_id: string;
    version: number;
    token: string;
    applied_by: string;
    created_at: Generated<Date>;
  };
}

export interface ConfigValuesTable {
  tenant_id: string;
  version: number;
  key: string;
  id: string;
  /** JSON text when written, parsed when read. */
  value: unknown;
  kek_id: string | null;
  cek_id: string | null;
  wrapped_cek: Buffer | null;
  iv: Buffer | null;
  ciphertext: Buffer | null;
  tag: Buffer | null;
  commitment: Buffer | null;
  blob_sha256: Buffer | null;
}
