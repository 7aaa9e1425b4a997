"""tiktok_assets"""
