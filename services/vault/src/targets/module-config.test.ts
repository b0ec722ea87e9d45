import { connectorTypes } from '@claviger/connectors';
import { methodOf } from '@claviger/contracts';
import { expect, test } from 'vitest';

test('the contract offers the types for which connectors exist', () => {
  const { request } = methodOf('/claviger.vault.v1.ModulesService/CreateModule');
  expect(request.byJsonName.get('type')!.rules!.allowed.toSorted()).toEqual(connectorTypes.toSorted());
});
