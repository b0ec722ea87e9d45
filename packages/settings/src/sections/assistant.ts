import { z } from 'zod';
import { defineSection, setting } from '../section.ts';

/** The assistant. Without an endpoint it answers only from documentation and data. */
export const assistant = defineSection('assistant', {
  services: ['workflow'],
  keys: {
    enabled: setting({
      scope: 'tenant',
      schema: z.boolean(),
      default: true,
      description: 'Whether the assistant is enabled.',
    }),
    endpoint: setting({
      scope: 'tenant',
      schema: z.union([z.literal(''), z.string().max(500).refine(isPlainUrl, 'must be a plain http(s) URL')]),
      default: '',
      description:
        'Base URL of an OpenAI-compatible service, e.g. https://models.example/v1. If empty, no data leaves the installation.',
    }),
    model: setting({
      scope: 'tenant',
      schema: z.string().max(100),
      default: '',
      description: 'Name of the model at the endpoint.',
    }),
    apiKey: setting({
      scope: 'tenant',
      schema: z
        .string()
        .max(500)
        .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without blanks'),
      default: '',
      secret: true,
      secretFor: ['endpoint'],
      description: 'API key of the endpoint.',
    }),
    timeoutMs: setting({
      scope: 'tenant',
      schema: z.int().min(500).max(20_000),
      default: 15_000,
      unit: 'milliseconds',
      description: 'Time limit for an answer, including calls of the endpoint for data.',
    }),
    maximumTokens: setting({
      scope: 'tenant',
      schema: z.int().min(50).max(4_000),
      default: 800,
      unit: 'tokens',
      description: 'Maximum length of an answer.',
    }),
    historyDays: setting({
      scope: 'tenant',
      schema: z.int().min(0).max(365),
      default: 30,
      unit: 'days',
      description: 'How long questions and answers are stored; 0 stores none.',
    }),
  },
  check: ({ endpoint, model }) =>
    endpoint !== '' && model === '' ? [{ pointer: '/model', detail: 'is required with an endpoint' }] : [],
});

function isPlainUrl(text: string): boolean {
  if (!/^https?:\/\/[^/?#@\\\s]+(?:\/[\x21-\x7e]*)?$/.test(text) || !URL.canParse(text)) return false;
  const { username, password, search, hash } = new URL(text);
  return username === '' && password === '' && search === '' && hash === '';
}
