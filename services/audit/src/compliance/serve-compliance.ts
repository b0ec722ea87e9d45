import { type DutyHost, startDuty } from '@claviger/cluster';
import * as compliance from '@claviger/contracts/audit/v1/compliance';
import * as authEvidence from '@claviger/contracts/auth/v1/evidence';
import * as vaultEvidence from '@claviger/contracts/vault/v1/evidence';
import * as workflowEvidence from '@claviger/contracts/workflow/v1/evidence';
import type { JobQueues } from '@claviger/jobs';
import type { Peers, RpcServer } from '@claviger/service-kit';
import type { AuditConfig } from '../config.ts';
import { makeInThread } from './building/make-in-thread.ts';
import { removeExpired } from './building/remove-expired.ts';
import { startReportWorker } from './building/report-worker.ts';
import type { ComplianceDeps } from './compliance-deps.ts';
import { getAttestation } from './controls/get-attestation.ts';
import { createReport } from './reports/create-report.ts';
import { downloadReport } from './reports/download-report.ts';
import { getReport } from './reports/get-report.ts';
import { listReports } from './reports/list-reports.ts';
import { createSchedule } from './schedules/create-schedule.ts';
import { deleteSchedule } from './schedules/delete-schedule.ts';
import { listSchedules } from './schedules/list-schedules.ts';
import { runDueSchedules } from './schedules/run-due-schedules.ts';

const SWEEP_EVERY_MS = 1_000;

export interface ComplianceService extends Omit<ComplianceDeps, 'evidence'> {
  readonly cluster: DutyHost;
  readonly queues: JobQueues;
  readonly peers: Peers;
  /** Of the whole service: what makes packages opens connections of its own. */
  readonly serviceConfig: AuditConfig;
}

/** Serves packages, attestations and schedules; makes packages, and runs schedules while this replica leads. */
export function serveCompliance(rpcServer: RpcServer, options: ComplianceService): AsyncDisposable {
  const { cluster, queues, peers } = options;
  const deps: ComplianceDeps = {
    ...options,
    evidence: {
      auth: peers.client('auth', authEvidence.EvidenceService),
      vault: peers.client('vault', vaultEvidence.EvidenceService),
      workflow: peers.client('workflow', workflowEvidence.EvidenceService),
    },
  };
  rpcServer.add(compliance.ComplianceService, {
    createReport: createReport(deps),
    listReports: listReports(deps),
    getReport: getReport(deps),
    downloadReport: downloadReport(deps),
    getAttestation: getAttestation(deps),
    listSchedules: listSchedules(deps),
    createSchedule: createSchedule(deps),
    deleteSchedule: deleteSchedule(deps),
  });
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
