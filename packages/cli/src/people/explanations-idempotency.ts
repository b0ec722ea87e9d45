import type { Explanation } from './explanation.ts';

/** Codes of repeated requests, and of limits at the edge. */
export const idempotencyExplanations: Readonly<Record<string, Explanation>> = {
  idempotency_replayed: {
    meaning:
      'This very request was carried out before under the same Idempotency-Key. It was not repeated, and its answer is not kept.',
    next: 'The problem names what it did: read that. To do it once more on purpose, send it with a new key.',
  },
  idempotency_key_invalid: {
    meaning: 'The Idempotency-Key header is not one value of 1 to 255 visible ASCII characters.',
    next: 'Send a random UUID.',
  },
  json_limit: {
    meaning: 'The body holds more than 1,000 values, or is more than 20 levels deep.',
    next: 'Send it in several requests.',
  },
  misdirected: {
    meaning: 'The request names a host that this server is not.',
    next: "Use the server's public address; an operator can add names under http.hosts of the gateway.",
  },
  disclosure_budget: {
    meaning:
      'More secrets were asked for than one person needs: the budget of a minute or of a day is used up.',
    next: 'Wait as long as Retry-After says. If the work needs more, an operator can raise limits.disclosure of the gateway.',
  },
};
