import type { Control } from '@claviger/compliance-package';
import type { ComplianceDeps } from '../deps.ts';

/** Period in which decisions, break-glass events and disclosures are examined. */
export const LOOK_BACK_DAYS = 90;

/** Input of each group of controls. */
export interface Assessment {
  readonly deps: ComplianceDeps;
  readonly tenantId: string;
  readonly from: Date;
  readonly now: Date;
  readonly call: { readonly tenantId: string; readonly timeoutMs: number; readonly signal: AbortSignal };
}

/** A control fails when any examined item violates it. */
export function assessedControl(
  control: Omit<Control, 'status' | 'detail'> & { readonly detail?: string },
): Control {
  return { detail: '', ...control, status: control.violations === 0 ? 'passed' : 'failed' };
}
