/** Headers of answers to rate-limited requests (draft-ietf-httpapi-ratelimit-headers). */
export const LIMIT_HEADERS = {
  RateLimit: {
    schema: { type: 'string', examples: ['"standard";r=19;t=1'] },
    description: 'For the nearest limit: requests left, and seconds until the limit is fully restored.',
  },
  'RateLimit-Policy': {
    schema: { type: 'string', examples: ['"standard";q=100;w=60'] },
    description: 'Allowed requests per window of seconds.',
  },
};
