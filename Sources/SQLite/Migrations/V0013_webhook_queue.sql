-- What a subscription is to be told next is found by this index and by no other: by the order of `ordinal` itself, PostgreSQL
-- takes the index of all deliveries where few subscriptions have many, and walks past everything that was told before.
DROP INDEX webhook_deliveries_queue;
CREATE INDEX webhook_deliveries_queue ON webhook_deliveries (webhook_id, (ordinal + 0)) WHERE status = 'pending';
