import { z } from 'zod';
import { defineSection, setting } from '../section.ts';

/** The assistant: without an endpoint it answers from documentation and data alone. */
export const assistant = defineSection('assistant', {
  services: ['workflow'],
  keys: {
    endpoint: setting({
      scope: 'tenant',
      schema: z.union([z.literal(''), z.url({ protocol: /^https?$/ }).max(500)]),
      default: '',
      description: 'Base URL of an OpenAI-compatible service; empty for none.',
    }),
    model: setting({
      scope: 'tenant',
      schema: z.string().max(100),
      default: '',
      description: 'Name of the model at the endpoint.',
    }),
    apiKey: setting({
      scope: 'tenant',
      schema: z.string().max(500),
      default: '',
      secret: true,
      secretFor: ['endpoint'],
      description: 'Key for the endpoint.',
    }),
  },
  check: ({ endpoint, model }) =>
    endpoint !== '' && model === '' ? [{ pointer: '/model', detail: 'is required with an endpoint' }] : [],
});
