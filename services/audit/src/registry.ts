// Generated from proto/claviger/audit/v1 by `pnpm generate`. Do not edit.
import * as audit from '@claviger/contracts/audit/v1/audit';
import * as breakglassAudit from '@claviger/contracts/audit/v1/breakglass_audit';
import * as compliance from '@claviger/contracts/audit/v1/compliance';
import * as siem from '@claviger/contracts/audit/v1/siem';
import * as tenantLog from '@claviger/contracts/audit/v1/tenant_log';
import type { DepsOf, Handlers, RpcServer } from '@claviger/service-kit';
import { listEvents } from './events/list-events.ts';
import { getEvent } from './events/get-event.ts';
import { exportEvents } from './exporting/export-events.ts';
import { getSummary } from './events/get-summary.ts';
import { getTreeHead } from './proofs/get-tree-head.ts';
import { listTreeHeads } from './proofs/list-tree-heads.ts';
import { getInclusionProof } from './proofs/get-inclusion-proof.ts';
import { getConsistencyProof } from './proofs/get-consistency-proof.ts';
import { verifyReceipt } from './proofs/verify-receipt.ts';
import { listKeys } from './proofs/list-keys.ts';
import { listBreakglassEvents } from './events/list-breakglass-events.ts';
import { createReport } from './compliance/reports/create-report.ts';
import { listReports } from './compliance/reports/list-reports.ts';
import { getReport } from './compliance/reports/get-report.ts';
import { downloadReport } from './compliance/reports/download-report.ts';
import { getAttestation } from './compliance/controls/get-attestation.ts';
import { listSchedules } from './compliance/schedules/list-schedules.ts';
import { createSchedule } from './compliance/schedules/create-schedule.ts';
import { deleteSchedule } from './compliance/schedules/delete-schedule.ts';
import { getSiemStatus } from './siem/get-siem-status.ts';
import { testSiem } from './siem/test-siem.ts';
import { listLogSizes } from './tenancy/list-log-sizes.ts';
import { findMissingEvents } from './tenancy/find-missing-events.ts';
import { readLog } from './tenancy/read-log.ts';
import { signDeletionRecord } from './tenancy/sign-deletion-record.ts';

/** The handlers of claviger.audit.v1.AuditService. */
export const auditService = (
  deps: DepsOf<
    | typeof listEvents
    | typeof getEvent
    | typeof exportEvents
    | typeof getSummary
    | typeof getTreeHead
    | typeof listTreeHeads
    | typeof getInclusionProof
    | typeof getConsistencyProof
    | typeof verifyReceipt
    | typeof listKeys
  >,
): Handlers<typeof audit.AuditService> => ({
  listEvents: listEvents(deps),
  getEvent: getEvent(deps),
  exportEvents: exportEvents(deps),
  getSummary: getSummary(deps),
  getTreeHead: getTreeHead(deps),
  listTreeHeads: listTreeHeads(deps),
  getInclusionProof: getInclusionProof(deps),
  getConsistencyProof: getConsistencyProof(deps),
  verifyReceipt: verifyReceipt(deps),
  listKeys: listKeys(deps),
});

/** The handlers of claviger.audit.v1.BreakglassAuditService. */
export const breakglassAuditService = (
  deps: DepsOf<
    | typeof listBreakglassEvents
  >,
): Handlers<typeof breakglassAudit.BreakglassAuditService> => ({
  listBreakglassEvents: listBreakglassEvents(deps),
});

/** The handlers of claviger.audit.v1.ComplianceService. */
export const complianceService = (
  deps: DepsOf<
    | typeof createReport
    | typeof listReports
    | typeof getReport
    | typeof downloadReport
    | typeof getAttestation
    | typeof listSchedules
    | typeof createSchedule
    | typeof deleteSchedule
  >,
): Handlers<typeof compliance.ComplianceService> => ({
  createReport: createReport(deps),
  listReports: listReports(deps),
  getReport: getReport(deps),
  downloadReport: downloadReport(deps),
  getAttestation: getAttestation(deps),
  listSchedules: listSchedules(deps),
  createSchedule: createSchedule(deps),
  deleteSchedule: deleteSchedule(deps),
});

/** The handlers of claviger.audit.v1.SiemService. */
export const siemService = (
  deps: DepsOf<
    | typeof getSiemStatus
    | typeof testSiem
  >,
): Handlers<typeof siem.SiemService> => ({
  getSiemStatus: getSiemStatus(deps),
  testSiem: testSiem(deps),
});

/** The handlers of claviger.audit.v1.TenantLogService. */
export const tenantLogService = (
  deps: DepsOf<
    | typeof listLogSizes
    | typeof findMissingEvents
    | typeof readLog
    | typeof signDeletionRecord
  >,
): Handlers<typeof tenantLog.TenantLogService> => ({
  listLogSizes: listLogSizes(deps),
  findMissingEvents: findMissingEvents(deps),
  readLog: readLog(deps),
  signDeletionRecord: signDeletionRecord(deps),
});

/** What all handlers of this service need together. */
export type HandlerDeps = DepsOf<
  | typeof auditService
  | typeof breakglassAuditService
  | typeof complianceService
  | typeof siemService
  | typeof tenantLogService
>;

/** Registers the handlers of all gRPC services that this service owns. */
export function registerHandlers(rpc: Pick<RpcServer, 'add'>, deps: HandlerDeps): void {
  rpc.add(audit.AuditService, auditService(deps));
  rpc.add(breakglassAudit.BreakglassAuditService, breakglassAuditService(deps));
  rpc.add(compliance.ComplianceService, complianceService(deps));
  rpc.add(siem.SiemService, siemService(deps));
  rpc.add(tenantLog.TenantLogService, tenantLogService(deps));
}
