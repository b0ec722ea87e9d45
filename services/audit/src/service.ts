import * as audit from '@claviger/contracts/audit/v1/audit';
import * as breakglassAudit from '@claviger/contracts/audit/v1/breakglass_audit';
import type { JobDefinition } from '@claviger/jobs';
import { productVersion, type RunningService, readSecretFile } from '@claviger/service-kit';
import { startSettings } from '@claviger/settings';
import { migrateStore, openStoreService } from '@claviger/store-service';
import type { AuditDeps, LogDeps } from './audit-deps.ts';
import { buildReportJob } from './compliance/building/build-report-job.ts';
import { serveCompliance } from './compliance/serve-compliance.ts';
import type { AuditConfig } from './config.ts';
import { createCostlyReads } from './costly/costly-reads.ts';
import { getEvent } from './events/get-event.ts';
import { getSummary } from './events/get-summary.ts';
import { listBreakglassEvents } from './events/list-breakglass-events.ts';
import { listEvents } from './events/list-events.ts';
import { exportEvents } from './exporting/export-events.ts';
import { healthChecks } from './health-checks.ts';
import { ingestEvents } from './ingestion/ingest-events.ts';
import { readKeys } from './keys.ts';
import { getConsistencyProof } from './proofs/get-consistency-proof.ts';
import { getInclusionProof } from './proofs/get-inclusion-proof.ts';
import { getTreeHead } from './proofs/get-tree-head.ts';
import { listKeys } from './proofs/list-keys.ts';
import { listTreeHeads } from './proofs/list-tree-heads.ts';
import { verifyReceipt } from './proofs/verify-receipt.ts';
import { startReadClosing } from './reads/close-reads.ts';
import { type AuditSchema, migrations } from './schema.ts';
import { compareWithOutside, startHeadWatch } from './sealing/head-watch.ts';
import { openHeadsFile } from './sealing/heads-file.ts';
import { signRestoreMark } from './sealing/restore-mark.ts';
import { startSealer } from './sealing/sealer.ts';
import { serveSiem } from './siem/serve-siem.ts';
import { siemPolicy } from './siem/siem-policy.ts';
import { addTenancyHandlers } from './tenancy/add-tenancy-handlers.ts';
import { endLeasesAfterRestore } from './tenancy/end-leases-after-restore.ts';

/** Brings the schema to this version. */
export const migrateAudit = (config: AuditConfig): Promise<void> => migrateStore(config, migrations);

/** Starts the service on a migrated schema; resolves when it serves. Throws, with all closed again, when it cannot. */
export async function createAuditService(config: AuditConfig): Promise<RunningService> {
  const keys = readKeys(config);
  await using store = openStoreService<AuditSchema>({
    service: 'audit',
    config,
    migrations,
    actorTokenPublicKey: readSecretFile(config.actorTokenPublicKeyFile),
    publishes: 'events',
    jobs: [buildReportJob as JobDefinition<never>],
  });
  const { database, bus, emitter, logger, peers, queues, rpc, parts, cluster, reportAnomaly, restore } =
    store;
  const { node, sealing } = config;
  const headsFile = parts.use(await openHeadsFile(config.headsFile, logger, keys.treeHeadPublic));
  const watched = { database, bus, logger, headsFile, publicKey: keys.treeHeadPublic };
  const problems = await compareWithOutside(watched);
  const sealer = parts.use(
    startSealer(
      { cluster, database, emitter, logger, keys, headsFile, reportAnomaly, restore, ...sealing },
      problems,
    ),
  );
  parts.use(startHeadWatch({ ...watched, cluster, sealer, restore, everyMs: sealing.compareHeadsMs }));
  parts.use(
    bus.consume({
      durable: 'audit',
      subject: 'audit.>',
      batch: 200,
      handle: (messages) => ingestEvents({ database, logger, macs: keys.macs }, messages),
    }),
  );

  const costly = parts.use(createCostlyReads({ config, treeHeadPublic: keys.treeHeadPublic }, logger));
  const deps: AuditDeps = { database, emitter, logger, keys };
  const logDeps: LogDeps = { ...deps, costly };
  parts.use(startReadClosing({ database, emitter, cluster }));
  rpc.add(audit.AuditService, {
    listEvents: listEvents(logDeps),
    getEvent: getEvent(deps),
    exportEvents: exportEvents(logDeps),
    getSummary: getSummary(logDeps),
    getTreeHead: getTreeHead(deps),
    listTreeHeads: listTreeHeads(deps),
    getInclusionProof: getInclusionProof(deps),
    getConsistencyProof: getConsistencyProof(deps),
    verifyReceipt: verifyReceipt(deps),
    listKeys: listKeys(deps),
  });
  rpc.add(breakglassAudit.BreakglassAuditService, {
    listBreakglassEvents: listBreakglassEvents(deps),
  });
  const settings = parts.use(startSettings({ config, logger, sections: ['siem'] }));
  parts.use(serveSiem(rpc, { ...deps, cluster, settings, policy: siemPolicy(config, store.platform) }));
  addTenancyHandlers(rpc, { ...deps, treeHeadKey: keys.treeHead });
  const compliance = { ...deps, keys, headsFile, node, version: productVersion, config: config.compliance };
  parts.use(serveCompliance(rpc, { ...compliance, serviceConfig: config, cluster, queues, peers }));
  return store.serve({
    restore: {
      endTenantAccess: endLeasesAfterRestore,
      onRestored: async (epoch) => {
        await headsFile.appendRestoreMark(signRestoreMark(epoch, keys.treeHead));
        sealer.forgetProblems();
      },
    },
    checks: healthChecks({ database, headsFile, sealer, warnAfterMs: sealing.warnAfterMs }),
  });
}
