import * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import * as emergencyNotice from '@claviger/contracts/workflow/v1/emergency_notice';
import type { RpcServer } from '@claviger/service-kit';
import type { WorkflowDeps } from '../deps.ts';
import { activateBreakglass } from './activate-breakglass.ts';
import { confirmBreakglass } from './confirm-breakglass.ts';
import { createBreakglassCodes } from './create-breakglass-codes.ts';
import { deactivateBreakglass } from './deactivate-breakglass.ts';
import { getBreakglassSession } from './get-breakglass-session.ts';
import { getBreakglassStatus } from './get-breakglass-status.ts';
import { getEmergencyNotice } from './get-emergency-notice.ts';
import { listBreakglassDrills } from './list-breakglass-drills.ts';
import { listBreakglassSessions } from './list-breakglass-sessions.ts';
import { reviewBreakglassSession } from './review-breakglass-session.ts';
import { runBreakglassDrill } from './run-breakglass-drill.ts';

export const breakglassHandlers = (deps: WorkflowDeps) => ({
  activateBreakglass: activateBreakglass(deps),
  confirmBreakglass: confirmBreakglass(deps),
  deactivateBreakglass: deactivateBreakglass(deps),
  getBreakglassStatus: getBreakglassStatus(deps),
  listBreakglassSessions: listBreakglassSessions(deps),
  getBreakglassSession: getBreakglassSession(deps),
  reviewBreakglassSession: reviewBreakglassSession(deps),
  createBreakglassCodes: createBreakglassCodes(deps),
  runBreakglassDrill: runBreakglassDrill(deps),
  listBreakglassDrills: listBreakglassDrills(deps),
});

export function addBreakglassHandlers(rpc: RpcServer, deps: WorkflowDeps): void {
  rpc.add(breakglass.BreakglassService, breakglassHandlers(deps));
  rpc.add(emergencyNotice.EmergencyNoticeService, { getEmergencyNotice: getEmergencyNotice(deps) });
}
