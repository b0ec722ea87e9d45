import type { Control } from '@claviger/compliance-package';
import type { ComplianceDeps } from '../deps.ts';

/** Decisions, break-glass and disclosures are looked at so far back. */
export const LOOK_BACK_DAYS = 90;

/** What every group of controls is computed with. */
export interface Assessment {
  readonly deps: ComplianceDeps;
  readonly tenantId: string;
  readonly from: Date;
  readonly now: Date;
  readonly call: { readonly tenantId: string; readonly timeoutMs: number; readonly signal: AbortSignal };
}

/** How a control stands when so many of those examined break it. */
export function judged(control: Omit<Control, 'status' | 'detail'> & { readonly detail?: string }): Control {
  return { detail: '', ...control, status: control.violations === 0 ? 'passed' : 'failed' };
}
