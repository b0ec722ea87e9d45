import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import * as authEvidence from '@claviger/contracts/auth/v1/evidence';
import * as vaultEvidence from '@claviger/contracts/vault/v1/evidence';
import * as workflowEvidence from '@claviger/contracts/workflow/v1/evidence';
import { createEmitter } from '@claviger/events';
import { createLogger, createPeers, productVersion, readSecretFile } from '@claviger/service-kit';
import { openStoreDatabase } from '@claviger/store-service/store-database';
import { readKeys } from '../../keys.ts';
import type { AuditSchema } from '../../schema.ts';
import type { ThreadedReport } from './make-in-thread.ts';
import { runReport } from './run-report.ts';

const CONNECTIONS = 2;
/** Reads of the log have priority over packages. On Linux, the priority applies to this thread alone. */
const LOW_PRIORITY = 5;

const { config, report, newestHead, headsProblem } = workerData as ThreadedReport;
if (process.platform === 'linux') setPriority(LOW_PRIORITY);
const stop = new AbortController();
parentPort!.once('message', () => stop.abort());
const logger = createLogger({ service: 'audit', node: config.node, level: config.logLevel });
const database = openStoreDatabase<AuditSchema>(
  { ...config, database: { ...config.database, poolSize: CONNECTIONS } },
  { plansByValues: true },
);
const peers = createPeers(config);
try {
  await runReport(
    {
      database,
      logger,
      emitter: createEmitter({
        service: 'audit',
        macKey: Buffer.from(readSecretFile(config.outboxMacKeyFile)),
      }),
      keys: readKeys(config),
      headsFile: { newest: () => newestHead, problem: () => headsProblem },
      evidence: {
        auth: peers.client('auth', authEvidence.EvidenceService),
        vault: peers.client('vault', vaultEvidence.EvidenceService),
        workflow: peers.client('workflow', workflowEvidence.EvidenceService),
      },
      config: config.compliance,
      node: config.node,
      version: productVersion,
    },
    report,
    stop.signal,
  );
} finally {
  peers.close();
  await database.close();
  parentPort!.close();
}
