/** On the answers to limited requests (draft-ietf-httpapi-ratelimit-headers). */
export const LIMIT_HEADERS = {
  RateLimit: {
    schema: { type: 'string', examples: ['"standard";r=19;t=1'] },
    description: 'Of the limit that is nearest: requests left, and seconds until all are there again.',
  },
  'RateLimit-Policy': {
    schema: { type: 'string', examples: ['"standard";q=100;w=60'] },
    description: 'Requests in a window of seconds.',
  },
};
