import type * as authEvidence from '@claviger/contracts/auth/v1/evidence';
import type * as vaultEvidence from '@claviger/contracts/vault/v1/evidence';
import type * as workflowEvidence from '@claviger/contracts/workflow/v1/evidence';
import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { Logger, ServiceClient } from '@claviger/service-kit';
import type { AuditKeys } from '../keys.ts';
import type { AuditSchema } from '../schema.ts';
import type { HeadsFile } from '../sequencing/heads-file.ts';
import type { ComplianceConfig } from './compliance-config.ts';

/** Evidence RPCs of the other services. */
export interface Evidence {
  readonly auth: ServiceClient<typeof authEvidence.EvidenceService>;
  readonly vault: ServiceClient<typeof vaultEvidence.EvidenceService>;
  readonly workflow: ServiceClient<typeof workflowEvidence.EvidenceService>;
}

/** Dependencies of packages, attestations and schedules. */
export interface ComplianceDeps {
  readonly database: Database<AuditSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly keys: Pick<AuditKeys, 'treeHead' | 'treeHeadPublic'>;
  readonly headsFile: Pick<HeadsFile, 'newest' | 'problem'>;
  readonly evidence: Evidence;
  readonly config: ComplianceConfig;
  /** Name of this replica: the first part of its lease owner. */
  readonly node: string;
  readonly version: string;
}
