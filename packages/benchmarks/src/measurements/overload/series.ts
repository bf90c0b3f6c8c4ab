import type { Service } from './setting.js';

/** What figures and tables call each kind of service; those that follow their caller have grpc-di's colours. */
export const seriesOf: Readonly<Record<Service, string>> = {
  'without propagation': 'no propagation',
  'with propagation': 'grpc-di: propagation',
  'with propagation and a look at the time': 'grpc-di: time checked',
};
