"""Pay channels: an order guaranteed by a merchant's own account at WeChat Pay score or Alipay deposit-free."""
