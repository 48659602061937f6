-- migrate:up
SET lock_timeout = '5s';

-- What a ledger comes to by account: its page, the pages of its neighbours and every list check it from here, without
-- reading lines. The same words as `contracts.bodies.LedgerSums`; gone with the content.
ALTER TABLE publish_read.publication ADD COLUMN sums jsonb;
CREATE INDEX publication_by_cell ON publish_read.publication (village_code, item, period);

UPDATE publish_read.publication p SET sums = (
    SELECT jsonb_build_object(
        'income_stated_fen', e.body #> '{totals,income_fen}',
        'expense_stated_fen', e.body #> '{totals,expense_fen}',
        'accounts', (
            SELECT jsonb_agg(jsonb_build_object(
                'account', a.value ->> 'account',
                'opening_fen', a.value -> 'opening_fen',
                'income_fen', coalesce(m.income, 0),
                'expense_fen', coalesce(m.expense, 0),
                'transfer_fen', coalesce(m.transfer, 0),
                'closing_fen', a.value -> 'closing_fen'
            ) ORDER BY a.ordinality)
            FROM jsonb_array_elements(e.body -> 'accounts') WITH ORDINALITY a
            LEFT JOIN (
                SELECT x.account,
                       sum(x.fen) FILTER (WHERE x.way = 'in') AS income,
                       sum(x.fen) FILTER (WHERE x.way = 'out') AS expense,
                       sum(x.fen) FILTER (WHERE x.way = 'transfer') AS transfer
                FROM (
                    SELECT l ->> 'account' AS account, l ->> 'direction' AS way,
                           CASE WHEN l ->> 'direction' = 'transfer' THEN -1 ELSE 1 END
                               * (l ->> 'amount_fen')::numeric AS fen
                    FROM jsonb_array_elements(e.body -> 'lines') l
                    UNION ALL
                    SELECT l ->> 'to_account', 'transfer', (l ->> 'amount_fen')::numeric
                    FROM jsonb_array_elements(e.body -> 'lines') l WHERE l ->> 'direction' = 'transfer'
                ) x GROUP BY x.account
            ) m ON m.account = a.value ->> 'account'
        )
    )
    FROM publish_read.edition e WHERE e.disclosure_id = p.disclosure_id AND e.edition = p.edition
)
WHERE p.kind = 'ledger' AND p.withdrawn_at IS NULL;

-- migrate:down
