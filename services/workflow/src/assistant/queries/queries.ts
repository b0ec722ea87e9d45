import {
  entriesToAskFor,
  failingRotations,
  myAccess,
  myUnusedAccess,
  whoHasAccess,
} from './access-queries.ts';
import { activeElevations, pendingElevations } from './elevation-queries.ts';
import type { Query } from './query.ts';
import { myRequests, requestApprovers, requestState, requestsToDecide } from './request-queries.ts';

/** All questions about data, the more specific ones first. */
export const queries: readonly Query[] = [
  pendingElevations,
  activeElevations,
  requestApprovers,
  requestsToDecide,
  requestState,
  myRequests,
  myUnusedAccess,
  myAccess,
  whoHasAccess,
  failingRotations,
  entriesToAskFor,
];
