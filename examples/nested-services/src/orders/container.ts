import { Container } from 'inversify';
import { Orders } from './orders.js';

export function ordersContainer(): Container {
  const container = new Container();
  container.bind(Orders).toSelf().inSingletonScope();
  return container;
}
