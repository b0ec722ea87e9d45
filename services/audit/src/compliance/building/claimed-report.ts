import type { Section } from '@claviger/compliance-package';
import type { DayRange } from '../reports/report-range.ts';

/** A report that somebody makes at the moment; plain data, which a thread can be given. */
export interface ClaimedReport extends DayRange {
  readonly tenantId: string;
  readonly id: string;
  /**
   * Of this claim alone: who lost the report to another, of the same process too, writes nothing more for it.
   */
  readonly leaseOwner: string;
  readonly sections: readonly Section[];
  readonly bom: boolean;
  readonly asOf: Date;
  /** Size of the tree head when it was first begun; 0 for an empty log. */
  readonly treeSize: number;
}
