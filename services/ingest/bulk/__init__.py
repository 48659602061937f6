"""Files of many disclosures: what people and accountants' systems write, to bodies and back; pure."""
