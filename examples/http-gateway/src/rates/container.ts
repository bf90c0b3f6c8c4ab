import { Container } from 'inversify';
import { Rates } from './rates.js';

export function ratesContainer(): Container {
  const container = new Container();
  container.bind(Rates).toSelf().inSingletonScope();
  return container;
}
