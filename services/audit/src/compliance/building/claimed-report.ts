import type { Section } from '@claviger/compliance-package';
import type { DayRange } from '../reports/report-range.ts';

/** A report in progress; plain data that can be passed to a thread. */
export interface ClaimedReport extends DayRange {
  readonly tenantId: string;
  readonly id: string;
  /**
   * Unique to this claim: a worker that has lost its lease, even to the same process, writes nothing more.
   */
  readonly leaseOwner: string;
  readonly sections: readonly Section[];
  readonly bom: boolean;
  readonly asOf: Date;
  /** Size of the tree head at the first attempt; 0 for an empty log. */
  readonly treeSize: number;
}
