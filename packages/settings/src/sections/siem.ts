import { defineSection } from '../section.ts';

/** Where audit events are passed on to. */
export const siem = defineSection('siem', { services: ['audit'], keys: {} });
