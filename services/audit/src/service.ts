import * as tenantStatus from '@claviger/contracts/cluster/v1/tenant_status';
import type { JobDefinition } from '@claviger/jobs';
import { productVersion, type RunningService, readSecretFile } from '@claviger/service-kit';
import { startSettings } from '@claviger/settings';
import { migrateStore, openStoreService } from '@claviger/store-service';
import { buildReportJob } from './compliance/building/build-report-job.ts';
import { evidenceOf, startCompliance } from './compliance/start-compliance.ts';
import type { AuditConfig } from './config.ts';
import { createCostlyReads } from './costly/costly-reads.ts';
import { healthChecks } from './health-checks.ts';
import { findMissing } from './ingestion/find-missing.ts';
import { ingestEvents } from './ingestion/ingest-events.ts';
import { readKeys } from './keys.ts';
import { startReadClosing } from './reads/close-reads.ts';
import { registerHandlers } from './registry.ts';
import { type AuditSchema, migrations } from './schema.ts';
import { compareWithOutside, startHeadWatch } from './sequencing/head-watch.ts';
import { openHeadsFile } from './sequencing/heads-file.ts';
import { startLogSequencer } from './sequencing/log-sequencer.ts';
import { signRestoreMark } from './sequencing/restore-mark.ts';
import { type Forwarding, startForwarding } from './siem/forwarding-duty.ts';
import { siemPolicy } from './siem/siem-policy.ts';
import { endLeasesAfterRestore } from './tenancy/end-leases-after-restore.ts';
import { tenantHandlers } from './tenancy/tenant-handlers.ts';

/** Migrates the schema to this version. */
export const migrateAudit = (config: AuditConfig): Promise<void> => migrateStore(config, migrations);

/**
 * Starts the service on a migrated schema; resolves when it serves. On failure, closes everything and throws.
 */
export async function createAuditService(config: AuditConfig): Promise<RunningService> {
  const keys = readKeys(config);
  await using store = await openStoreService<AuditSchema>({
    service: 'audit',
    config,
    migrations,
    actorTokenPublicKey: readSecretFile(config.actorTokenPublicKeyFile),
    publishes: 'events',
    findMissingEvents: findMissing,
    jobs: [buildReportJob as JobDefinition<never>],
  });
  const { database, bus, emitter, logger, peers, queues, rpc, disposables, cluster, reportAnomaly, restore } =
    store;
  const { node, sealing } = config;
  const headsFile = disposables.use(await openHeadsFile(config.headsFile, logger, keys.treeHeadPublic));
  const watched = { database, bus, logger, headsFile, publicKey: keys.treeHeadPublic };
  const problems = await compareWithOutside(watched);
  let forwarding: Forwarding | undefined;
  const onSequenced = (): void => forwarding?.wake();
  const sequencer = disposables.use(
    startLogSequencer(
      {
        cluster,
        database,
        emitter,
        logger,
        keys,
        headsFile,
        reportAnomaly,
        restore,
        onSequenced,
        ...sealing,
      },
      problems,
    ),
  );
  disposables.use(
    startHeadWatch({ ...watched, cluster, sequencer, restore, everyMs: sealing.compareHeadsMs }),
  );
  disposables.use(
    bus.consume({
      durable: 'audit',
      subject: 'audit.>',
      batch: 200,
      handle: (messages) => ingestEvents({ database, logger, macs: keys.macs }, messages),
    }),
  );

  const costly = disposables.use(createCostlyReads({ config, treeHeadPublic: keys.treeHeadPublic }, logger));
  const settings = disposables.use(startSettings({ config, logger, sections: ['siem'] }));
  const deps = {
    database,
    emitter,
    logger,
    keys,
    costly,
    settings,
    destinationPolicy: siemPolicy(config, store.platform),
    headsFile,
    evidence: evidenceOf(peers),
    config: config.compliance,
    node,
    version: productVersion,
  };
  registerHandlers(rpc, deps);
  rpc.add(tenantStatus.TenantStatusService, tenantHandlers(deps));
  disposables.use(startReadClosing({ database, emitter, cluster }));
  forwarding = disposables.use(startForwarding({ ...deps, cluster }));
  disposables.use(startCompliance(deps, { cluster, queues, serviceConfig: config }));
  return store.serve({
    restore: {
      endTenantAccess: endLeasesAfterRestore,
      onRestored: async (epoch) => {
        await headsFile.appendRestoreMark(signRestoreMark(epoch, keys.treeHead));
        sequencer.forgetProblems();
      },
    },
    checks: healthChecks({ database, headsFile, sequencer, warnAfterMs: sealing.warnAfterMs }),
  });
}
