import { type DutyHost, startDuty } from '@claviger/cluster';
import * as authEvidence from '@claviger/contracts/auth/v1/evidence';
import * as vaultEvidence from '@claviger/contracts/vault/v1/evidence';
import * as workflowEvidence from '@claviger/contracts/workflow/v1/evidence';
import type { JobQueues } from '@claviger/jobs';
import type { Peers } from '@claviger/service-kit';
import type { AuditConfig } from '../config.ts';
import { makeInThread } from './building/make-in-thread.ts';
import { removeExpired } from './building/remove-expired.ts';
import { startReportWorker } from './building/report-worker.ts';
import type { ComplianceDeps, Evidence } from './deps.ts';
import { runDueSchedules } from './schedules/run-due-schedules.ts';

const SWEEP_EVERY_MS = 2_000;

/** Clients for the evidence RPCs of the other services. */
export function evidenceOf(peers: Peers): Evidence {
  return {
    auth: peers.client('auth', authEvidence.EvidenceService),
    vault: peers.client('vault', vaultEvidence.EvidenceService),
    workflow: peers.client('workflow', workflowEvidence.EvidenceService),
  };
}

/**
 * Makes packages in every replica; the leader also runs schedules and removes expired packages.
 *
 * @param options.serviceConfig Configuration from which report threads open their own connections.
 */
export function startCompliance(
  deps: ComplianceDeps,
  options: { readonly cluster: DutyHost; readonly queues: JobQueues; readonly serviceConfig: AuditConfig },
): AsyncDisposable {
  const { cluster, queues } = options;
  const stack = new AsyncDisposableStack();
  const worker = stack.use(
    startReportWorker(deps, queues, (report, signal) =>
      makeInThread(
        {
          config: options.serviceConfig,
          report,
          newestHead: deps.headsFile.newest(report.tenantId),
          headsProblem: deps.headsFile.problem(),
        },
        signal,
      ),
    ),
  );
  stack.use(
    startDuty({
      cluster,
      name: 'compliance reports',
      everyMs: SWEEP_EVERY_MS,
      run: async (leadership) => {
        await runDueSchedules(deps, leadership);
        await worker.sweep(leadership);
        await removeExpired(deps, leadership);
      },
    }),
  );
  return stack;
}
