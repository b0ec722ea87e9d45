import type { Explanation } from './explanation.ts';

/** Of packages for auditors and their schedules. */
export const complianceExplanations: Readonly<Record<string, Explanation>> = {
  report_not_ready: {
    meaning: 'The package is still being made.',
    next: '`claviger compliance list` shows how far it is; fetch it when it is ready.',
  },
  report_failed: {
    meaning: 'The package could not be made; the report says why.',
    next: 'Read its problem with `claviger compliance list`, and ask again for a range or for sections that can be made.',
  },
  report_expired: {
    meaning: 'The package was kept for its time and has been removed.',
    next: 'Ask for another one of the same range: `claviger compliance report`.',
  },
  too_many_reports: {
    meaning: 'Fifty packages of the tenant wait to be made already.',
    next: 'Wait until some of them are made: `claviger compliance list` shows them.',
  },
  too_many_schedules: {
    meaning: 'The tenant has as many schedules as it may have.',
    next: 'Delete one that is not needed: `claviger compliance schedules delete`.',
  },
};
