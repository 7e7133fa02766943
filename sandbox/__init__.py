"""A stand-in for Constant Contact: its own process, nothing imported from or by the product."""
