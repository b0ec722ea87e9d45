import type * as assistant from '@claviger/contracts/workflow/v1/assistant';
import { plainLine } from '../plain-text.ts';

/** With fewer requests, no usual time is derived. */
export const ENOUGH_FOR_TIMES = 20;
/** With fewer approved requests, no usual duration is derived. */
export const ENOUGH_FOR_DURATIONS = 3;

export function durationAssessment(asked: number, p90: number, requests: number): string {
  if (asked === 0 || requests < ENOUGH_FOR_DURATIONS) return 'unknown';
  return asked > p90 ? 'longer-than-usual' : 'usual';
}

export function timeAssessment(atThisTime: number, requests: number): string {
  if (requests < ENOUGH_FOR_TIMES) return 'unknown';
  return atThisTime === 0 ? 'unusual' : 'usual';
}

type Figures = Omit<assistant.SuggestForRequestResponse, 'suggestions'>;

/** The figures as sentences, warnings first. They are advice and decide nothing. */
export function inWords(figures: Figures): string[] {
  const { duration, time, denials, unusedGrants, approvers, windowDays } = figures;
  const words: string[] = [];
  if (duration?.assessment === 'longer-than-usual')
    words.push(
      `${duration.askedMinutes} minutes are more than nine of ten approved requests received (${duration.p90Minutes}); the median is ${duration.medianMinutes}.`,
    );
  if (time?.assessment === 'unusual')
    words.push(
      `None of ${time.requests} requests of the last ${windowDays} days was made at this hour of the week.`,
    );
  const [denial] = denials;
  if (denial)
    words.push(
      `${figures.deniedRequests} similar requests were denied, most recently by ${plainLine(denial.deniedBy)}${denial.comment ? `: "${plainLine(denial.comment)}"` : ''}.`,
    );
  if (unusedGrants.length > 0)
    words.push(
      `The requester has ${unusedGrants.length} unused active grants, e.g. for ${plainLine(unusedGrants[0]!.resourceName || unusedGrants[0]!.entryName)}.`,
    );
  if (figures.similarRequests === 0)
    words.push(`There was no similar request in the last ${windowDays} days.`);
  else if (duration && duration.requests > 0 && duration.assessment !== 'longer-than-usual')
    words.push(
      `${figures.approvedRequests} of ${figures.similarRequests} similar requests were approved, usually for ${duration.medianMinutes} minutes.`,
    );
  const available = approvers.filter((each) => each.available).map((each) => plainLine(each.userName));
  if (available.length > 0)
    words.push(`Similar requests were approved by ${available.slice(0, 3).join(', ')}, who may decide now.`);
  else if (approvers.length > 0) words.push('No approver of similar requests may decide now.');
  return words;
}
